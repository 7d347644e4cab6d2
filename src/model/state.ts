/** Where an upgrade stands, as its journal tells. */
export type UpgradeState =
  | 'preparing' | 'prepared' | 'parking' | 'jumping' | 'arrived' | 'settled'
  | 'giving-up' | 'given-up' | 'given-up-in-part' | 'refused'
  /** The new kernel did not get there: the machine booted again, and ends the upgrade. */
  | 'coming-back' | 'back';

/** The part of a journal's event that decides. */
export interface StateEvent {
  readonly event: string;
  readonly phase?: string | undefined;
}

export interface Transition {
  /** What the journal says, on disk before it takes effect; of a step, its phase. */
  readonly event: string;
  readonly from: readonly UpgradeState[];
  readonly to: UpgradeState;
  /** What is on disk before the event is. */
  readonly synced: string;
  /** What leads back from there, and where to, if the upgrade or the machine goes no further. */
  readonly undo: string;
}

/** Also where the events in between were torn by a power cut. */
const BEFORE_THE_JUMP = ['preparing', 'prepared', 'parking', 'jumping'] as const;

/** The only place that says what leads where; docs/upgrade.md has this very table. */
export const TRANSITIONS: readonly Transition[] = [
  { event: 'begun', from: ['preparing', 'prepared'], to: 'preparing', synced: 'the folder of the upgrade', undo: 'nothing has happened yet' },
  { event: 'step of prepare', from: ['preparing'], to: 'preparing', synced: 'nothing: the key of the hand-over is in memory only', undo: 'the guard wipes the container and unloads the kernel' },
  { event: 'step of snapshot', from: ['preparing'], to: 'preparing', synced: 'nothing: a round that is cut off is not used', undo: 'the guard thaws who was held, gives back their processors to whoever was slowed down, ends the counting, removes the images' },
  { event: 'prepared', from: ['preparing'], to: 'prepared', synced: 'all snapshots', undo: '`segue cancel`, or the guard when the keeper is killed: as above' },
  { event: 'step of park', from: ['preparing', 'parking'], to: 'parking', synced: 'all snapshots', undo: 'the guard thaws and continues every task, ends repair mode, deletes the locks: within a second or so everything runs on' },
  { event: 'jumping', from: BEFORE_THE_JUMP, to: 'jumping', synced: 'the sealed hand-over, the system journal, all filesystems, the sealed key, `/etc/segue/way-back`', undo: 'if kexec returns, as above; a power cut now is the way back' },
  { event: 'giving-up', from: BEFORE_THE_JUMP, to: 'giving-up', synced: '–', undo: 'it is being undone, last step first' },
  { event: 'given-up', from: [...BEFORE_THE_JUMP, 'giving-up'], to: 'given-up', synced: '–', undo: 'the machine is as before' },
  { event: 'given-up-in-part', from: [...BEFORE_THE_JUMP, 'giving-up'], to: 'given-up-in-part', synced: '–', undo: 'the journal says what is left to be done by hand' },
  { event: 'arrived', from: BEFORE_THE_JUMP, to: 'arrived', synced: 'the mark `arrived`: there is one attempt in the new kernel', undo: 'a panic or a power cut from here on is the way back; a workload that fails is started afresh alone, or the old kernel is started again if it is required' },
  { event: 'handover-refused', from: [...BEFORE_THE_JUMP, 'coming-back'], to: 'refused', synced: '–', undo: 'everything was started afresh' },
  { event: 'came-back', from: [...BEFORE_THE_JUMP, 'arrived', 'refused'], to: 'coming-back', synced: 'the mark `came-back`: there is one attempt on the way back', undo: 'whose image was not begun is restored, everything else is started afresh; a further failure is an ordinary boot' },
  { event: 'settled', from: ['arrived'], to: 'settled', synced: 'the fate of each workload', undo: 'the upgrade is over, its images are wiped' },
  { event: 'settled', from: ['coming-back'], to: 'back', synced: 'the fate of each workload', undo: 'the upgrade is over, on the old kernel' },
];

const nameOf = ({ event, phase }: StateEvent): string => (event === 'step' && phase !== undefined ? `step of ${phase}` : event);

/** An event that leads nowhere from this state changes nothing: most only say how far a state has come. */
export function nextState(state: UpgradeState, event: StateEvent): UpgradeState {
  const name = nameOf(event);
  return TRANSITIONS.find((each) => each.event === name && each.from.includes(state))?.to ?? state;
}

export const stateAfter = (events: readonly StateEvent[]): UpgradeState => events.reduce<UpgradeState>(nextState, 'preparing');

/** The table in Markdown. */
export const stateTable = (): string => [
  '| event | from | to | on disk before | what undoes it |',
  '|---|---|---|---|---|',
  ...TRANSITIONS.map(({ event, from, to, synced, undo }) => `| ${event.startsWith('step') ? event : `\`${event}\``} | ${from.join(', ')} | ${to} | ${synced} | ${undo} |`),
].join('\n');
