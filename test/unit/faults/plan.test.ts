import { expect, test } from 'vitest';
import { moments, parsePlan } from '../../../lab/faults/plan.js';

const DRY_RUN = `
#### prepare

# make the hand-over
mkdir -p -m 0700 /var/lib/segue/upgrades/ID/handover

# nginx.service: list its trees
cat >/x <<'EOF'
427 --mount

# looks like a step
#### looks like a phase
EOF

# nginx.service: prepare the restore of 427
cat >/x <<'EOF'
EOF

# recorder.service: prepare the restore of 812
cat >/x <<'EOF'
EOF

#### park

# hold new connections back to those of priority 50
nft -f - <<'EOF'
table inet segue {
}
EOF

# seal the hand-over
# locks of the new kernel, from the sockets as imaged: /x/lock.nft
cd /x
`;

test('the steps of a dry run are told from what it writes into files', () => {
  expect(parsePlan(DRY_RUN)).toEqual([
    { phase: 'prepare', title: 'make the hand-over' },
    { phase: 'prepare', unit: 'nginx.service', title: 'list its trees' },
    { phase: 'prepare', unit: 'nginx.service', title: 'prepare the restore of 427' },
    { phase: 'prepare', unit: 'recorder.service', title: 'prepare the restore of 812' },
    { phase: 'park', title: 'hold new connections back to those of priority 50' },
    { phase: 'park', title: 'seal the hand-over' },
  ]);
});

test('of the files that prepare writes, one of each kind is a moment', () => {
  expect(moments(parsePlan(DRY_RUN)).map(({ title }) => title)).toEqual(['make the hand-over', 'list its trees', 'prepare the restore of 427', 'hold new connections back to those of priority 50', 'seal the hand-over']);
});

test('every step of the other phases is a moment, whatever its title', () => {
  const steps = [{ phase: 'park', unit: 'a.service', title: 'image a (1) and leave it stopped' }, { phase: 'park', unit: 'a.service', title: 'image a (2) and leave it stopped' }];
  expect(moments(steps)).toEqual(steps);
});
