import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeMessages } from '../../../src/tools/criu-images.ts';
import { indexPages } from '../../../src/tools/page-index.ts';
import { isRoot } from './private-machine.ts';

const SCRIPT = join(import.meta.dirname, '../../../boot/memory');
const PID = 4242;
const PAGE = 4096;
const MIB = 2 ** 20;
/** Where the task has its memory, and one area that is none of what may come later. */
const START = 0x10_0000_0000;
const SIZE = 48 * MIB;
const STACK = START + SIZE + 16 * MIB;

/** criu/include/pagemap.h */
const [IN_PARENT, LAZY, PRESENT] = [1, 2, 4];

const header = Buffer.alloc(8);
header.writeUInt32LE(0x54564319);

const message = (...fields: readonly (readonly [number, number | Uint8Array])[]): Uint8Array => {
  const writer = new BinaryWriter();
  for (const [number, value] of fields) {
    if (typeof value === 'number') writer.tag(number, WireType.Varint).uint64(value);
    else writer.tag(number, WireType.LengthDelimited).bytes(value);
  }
  return writer.finish();
};

interface Pages {
  readonly from: number;
  readonly count: number;
  readonly flags: number;
}

/** A page says in which image it is, and its address. */
function pageOf(image: number, address: number): Buffer {
  const page = Buffer.alloc(PAGE, image);
  page.writeBigUInt64LE(BigInt(address));
  return page;
}

/** One image of the memory of the task. `image` is also the number of its file of pages. */
function writeImage(folder: string, image: number, entries: readonly Pages[], parent?: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/pagemap-${PID}.img`, writeMessages(header, [message([1, image]), ...entries.map(({ from, count, flags }) => message([1, from], [2, count], [4, flags], [5, count]))]));
  const area = (start: number, end: number, flags: number): readonly [number, Uint8Array] => [14, message([1, start], [2, end], [3, 0], [4, 0], [5, 3], [6, flags], [7, 0x201], [8, 0])];
  writeFileSync(`${folder}/mm-${PID}.img`, writeMessages(header, [message(area(START, START + SIZE, 0x22), area(STACK, STACK + 4 * PAGE, 0x122 | 0x2000))]));
  const file = openSync(`${folder}/pages-${image}.img`, 'w');
  for (const { from, count, flags } of entries) for (let page = 0; flags & PRESENT && page < count; page += 1) writeSync(file, pageOf(image, from + page * PAGE));
  writeFileSync(`${folder}/core-${PID}.img`, 'core');
  if (parent !== undefined) symlinkSync(parent, `${folder}/parent`);
}

/** The pages that were written to since the first image. */
const CHANGED = { from: START + 20 * MIB, count: 300 };
const pagesOf = (mib: number): number => (mib * MIB) / PAGE;

/** A task as CRIU leaves it to whoever gives it its memory; `deeds` is what it does then. */
const task = (deeds: string): string => String.raw`
use strict;
use Socket;
use Fcntl qw(:flock);
use constant { START => ${START}, SIZE => ${SIZE}, PAGE => ${PAGE}, MOVED => ${START - 64 * MIB} };
my $run = $ENV{SEGUE_RUN};
syscall(9, START, SIZE, 3, 0x100022, -1, 0) == START or die "mmap: $!";
my $number = syscall(323, 0x80800);
open(my $uffd, "+<&=", $number) or die "userfaultfd: $!";
ioctl($uffd, 0xc018aa3f, my $api = pack("Q3", 0xaa, 1 << 1 | 1 << 2 | 1 << 3 | 1 << 6, 0)) or die "api: $!";
ioctl($uffd, 0xc020aa00, my $register = pack("Q4", START, SIZE, 1, 0)) or die "register: $!";
socket(my $sock, AF_UNIX, SOCK_STREAM, 0);
connect $sock, pack_sockaddr_un("lazy-pages.socket") or die "connect: $!";
syswrite $sock, pack("l", -17);
syswrite $sock, pack("l", ${PID});
my $byte = "x";
my $control = pack("Q l l l x4", 20, SOL_SOCKET, SCM_RIGHTS, $number);
my $vector = pack("PQ", $byte, 1);
my $header = pack("Q2PQPQ2", 0, 0, $vector, 1, $control, 24, 0);
syscall(46, fileno $sock, $header, 0) == 1 or die "sendmsg: $!";
syswrite $sock, pack("L", 0x52535446);
close $uffd;
sub at { unpack("P16", pack("Q", $_[0])) }
# What it should be: the image, and its address then.
sub is_page { my ($address, $image, $then) = @_; at($address) eq pack("Q C8", $then // $address, ($image) x 8) }
sub image_of { $_[0] >= ${CHANGED.from} && $_[0] < ${CHANGED.from + CHANGED.count * PAGE} ? 2 : 1 }
sub is_right { is_page($_[0], image_of($_[0]), $_[0]) }
sub is_zero { at($_[0]) eq "\0" x 16 }
sub fill { open(my $file, ">", "$run/fill"); open(my $lock, "<", "$run/memory.lock"); flock $lock, LOCK_EX }
sub pages { my ($from, $to) = @_; map { $from + $_ * PAGE } 0 .. ($to - $from) / PAGE - 1 }
$| = 1;
${deeds}
`;

describe.runIf(isRoot)('memory', () => {
  let run: string;
  let tree: string;
  let group: string;
  const children: ChildProcess[] = [];
  beforeEach(() => {
    run = mkdtempSync(join(tmpdir(), 'segue-memory-'));
    tree = join(run, 'tree');
    group = `/${run.split('/').at(-1) ?? ''}`;
    writeImage(`${tree}/snapshots/1`, 1, [{ from: START, count: pagesOf(48), flags: PRESENT | LAZY }]);
    symlinkSync('1', `${tree}/snapshots/last`);
    writeImage(`${tree}/images`, 2, [
      { from: START, count: pagesOf(20), flags: IN_PARENT },
      { ...CHANGED, flags: PRESENT | LAZY },
      { from: CHANGED.from + CHANGED.count * PAGE, count: pagesOf(28) - CHANGED.count, flags: IN_PARENT },
      { from: STACK, count: 4, flags: PRESENT },
    ], '../snapshots/last');
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    rmSync(run, { recursive: true });
    rmSync(`/sys/fs/cgroup${group}`, { recursive: true, force: true });
  });

  async function perl(args: readonly string[], cwd = run): Promise<{ out: string; code: number | null }> {
    const child = spawn('perl', args, { cwd, env: { ...process.env, SEGUE_RUN: run }, stdio: ['ignore', 'pipe', 'pipe'] });
    children.push(child);
    let out = '';
    child.stdout.on('data', (data: Buffer) => { out += data.toString(); });
    // What serves on has it open as well.
    child.stderr.on('data', (data: Buffer) => { out += data.toString(); });
    const [code] = (await once(child, 'exit')) as [number | null];
    return { out, code };
  }
  const sum = () => perl([SCRIPT, 'sum', (16 * MIB).toString(), `${tree}/snapshots/1`, `${tree}/images`]);
  const serve = (...args: readonly string[]) => perl([SCRIPT, 'serve', tree, group, ...args]);
  const taskDoes = (deeds: string) => perl(['-e', task(deeds)], `${tree}/on-demand`);

  test('the blocks of large files are summed, and what was changed since is named', async () => {
    expect(await sum()).toEqual({ out: '', code: 0 });
    expect(readFileSync(`${tree}/snapshots/1/pages-1.img.blocks`)).toHaveLength((SIZE / 65536) * 4);
    expect(existsSync(`${tree}/images/pages-2.img.blocks`)).toBe(false);
    expect(await serve('all')).toEqual({ out: '', code: 3 });
    damage(`${tree}/snapshots/1/pages-1.img`, 5 * MIB);
    const { out, code } = await serve('all');
    expect(out).toBe(`${tree}/images/parent/pages-1.img is damaged in its block 80\n`);
    expect(code).not.toBe(3);
    expect(code).not.toBe(0);
  });

  test('a task has every page as it was, when it asks and when it does not, also of an earlier image', async () => {
    await sum();
    expect((await serve()).code).toBe(0);
    const { out, code } = await taskDoes(String.raw`
      is_right($_) or die sprintf "%x before", $_ for START, START + SIZE - PAGE, START + 20 * 1048576 - PAGE, START + 20 * 1048576, START + 30 * 1048576;
      fill();
      is_right($_) or die sprintf "%x", $_ for pages(START, START + SIZE);
      print "right\n";
    `);
    expect({ out, code }).toEqual({ out: 'right\n', code: 0 });
  });

  test.each(['with an index', 'without an index'])('a task has every page from the newest of many rounds that have it here and there: %s', async (indexed) => {
    // Each third page was written again before the second round, each fifth before the third.
    const every = (step: number): Pages[] => Array.from({ length: pagesOf(48) / step }, (_, index) => [
      { from: START + index * step * PAGE, count: step - 1, flags: IN_PARENT },
      { from: START + (index * step + step - 1) * PAGE, count: 1, flags: PRESENT | LAZY },
    ]).flat();
    const rest = (entries: readonly Pages[]): Pages[] => {
      const { from = START, count = 0 } = entries.at(-1) ?? {};
      const left = (START + SIZE - from) / PAGE - count;
      return left === 0 ? [] : [{ from: from + count * PAGE, count: left, flags: IN_PARENT }];
    };
    const [third, fifth] = [every(3), every(5)];
    rmSync(`${tree}/snapshots/last`);
    writeImage(`${tree}/snapshots/2`, 2, [...third, ...rest(third)], '../1');
    writeImage(`${tree}/snapshots/3`, 3, [...fifth, ...rest(fifth)], '../2');
    symlinkSync('3', `${tree}/snapshots/last`);
    rmSync(`${tree}/images`, { recursive: true });
    writeImage(`${tree}/images`, 4, [{ from: START, count: pagesOf(48), flags: IN_PARENT }], '../snapshots/last');
    if (indexed === 'with an index') for (const round of [1, 2, 3]) await indexPages(`${tree}/snapshots/${round.toString()}`);
    await sum();
    expect((await serve()).code).toBe(0);
    const { out, code } = await taskDoes(String.raw`
      sub newest { my $page = ($_[0] - START) / PAGE; $page % 5 == 4 && $page < int(SIZE / PAGE / 5) * 5 ? 3 : $page % 3 == 2 ? 2 : 1 }
      is_page($_, newest($_)) or die sprintf "%x before", $_ for map { START + $_ * PAGE } 0, 14, 2, 4, 9000, 9002, 3;
      # Moved, it is still where it was in the images.
      syscall(25, START + 8 * 1048576, 1048576, 1048576, 3, MOVED) == MOVED or die "mremap: $!";
      is_page(MOVED + $_ * PAGE, newest(START + 8 * 1048576 + $_ * PAGE), START + 8 * 1048576 + $_ * PAGE) or die "moved, before" for 100, 3, 255;
      fill();
      is_page($_, newest($_)) or die sprintf "%x", $_ for pages(START, START + 8 * 1048576), pages(START + 9 * 1048576, START + SIZE);
      is_page(MOVED + $_ * PAGE, newest(START + 8 * 1048576 + $_ * PAGE), START + 8 * 1048576 + $_ * PAGE) or die "moved" for 0 .. 255;
      print "right\n";
    `);
    expect({ out, code }).toEqual({ out: 'right\n', code: 0 });
  });

  test('what the program does with its memory meanwhile counts', async () => {
    await sum();
    await serve();
    const { out, code } = await taskDoes(String.raw`
      # Given back: it reads zeros there (MADV_DONTNEED), and at what it had asked for as well.
      is_right(START + 1048576) or die;
      syscall(28, START, 2 * 1048576, 4) == 0 or die "madvise: $!";
      # Unmapped, and mapped anew.
      syscall(11, START + 4 * 1048576, 1048576) == 0 or die "munmap: $!";
      syscall(9, START + 4 * 1048576, 1048576, 3, 0x100022, -1, 0) == START + 4 * 1048576 or die "mmap: $!";
      # Moved; and another protection in the midst of it.
      syscall(25, START + 8 * 1048576, 1048576, 1048576, 3, MOVED) == MOVED or die "mremap: $!";
      syscall(10, START + 12 * 1048576 + 3 * PAGE, 2 * PAGE, 1) == 0 or die "mprotect: $!";
      # Forked: the child has what its parent had, and goes its own way.
      my $child = fork // die;
      if (!$child) {
        is_right($_) or die sprintf "%x in the child", $_ for map { START + $_ * 1048576 } 12, 20, 40;
        is_page(MOVED + $_ * PAGE, 1, START + 8 * 1048576 + $_ * PAGE) or die "moved" for 0, 255;
        is_zero($_) or die for START, START + 4 * 1048576;
        fill();
        is_right($_) or die sprintf "%x in the child", $_ for pages(START + 12 * 1048576, START + SIZE);
        exit 0;
      }
      syscall(28, START + 44 * 1048576, 1048576, 4) == 0 or die "madvise: $!";
      fill();
      waitpid $child, 0;
      $? == 0 or die "the child ended with $?";
      is_zero($_) or die sprintf "%x is not zero", $_ for pages(START, START + 2 * 1048576), pages(START + 4 * 1048576, START + 5 * 1048576), pages(START + 44 * 1048576, START + 45 * 1048576);
      is_page(MOVED + $_ * PAGE, 1, START + 8 * 1048576 + $_ * PAGE) or die "moved" for 0 .. 255;
      is_right($_) or die sprintf "%x", $_ for pages(START + 12 * 1048576, START + 44 * 1048576);
      print "right\n";
    `);
    expect({ out, code }).toEqual({ out: 'right\n', code: 0 });
  });

  test('nobody waits for long whose page is wanted while another task gives memory back', async () => {
    await sum();
    await serve();
    const { out, code } = await taskDoes(String.raw`
      # Shared with the one that forked it: all of its memory (CLONE_VM of clone(2) is not to be had; a child has its own).
      my @children = map { my $pid = fork // die; if (!$pid) { for my $mib (1 .. 47) { syscall(28, START + $mib * 1048576 - 65536, 65536, 4); is_right(START + $mib * 1048576) or die } exit 0 } $pid } 1 .. 4;
      for my $pid (@children) { waitpid $pid, 0; $? == 0 or die "a child ended with $?" }
      print -e "$run/fill" ? "late\n" : "right\n";
      fill();
    `);
    expect({ out, code }).toEqual({ out: 'right\n', code: 0 });
  });

  test.each([
    ['a page that is damaged is given to nobody', ''],
    ['for a page that is in no image nobody gets another', ''],
    ['what gives memory is killed, and nobody reads zeros in its place', 'select(undef, undef, undef, 0.01) until (() = givers()) == 2; kill KILL => (givers())[1];'],
  ])('%s: the unit is killed', async (what, accident) => {
    await sum();
    mkdirSync(`/sys/fs/cgroup${group}`, { recursive: true });
    writeFileSync(`/sys/fs/cgroup${group}/cgroup.events`, 'populated 1\n');
    if (what.startsWith('a page')) damage(`${tree}/snapshots/1/pages-1.img`, 5 * MIB);
    if (what.startsWith('for a page')) writeFileSync(`${tree}/snapshots/1/pagemap-${PID}.img`, writeMessages(header, [message([1, 1]), message([1, START], [2, 16], [4, PRESENT | LAZY], [5, 16])]));
    await serve();
    // Here nobody is killed by what is written to that file.
    const { out } = await taskDoes(String.raw`
      is_right(START) or die;
      # The older of the two that serve this folder waits for the other.
      sub words { open(my $file, "<", $_[0]) or return; return <$file> }
      sub givers { sort { $a <=> $b } map { my ($pid) = /(\d+)/; (words($_) // "") =~ m{\0serve\0${tree}\0} ? $pid : () } glob "/proc/[0-9]*/cmdline" }
      # One that looks on, while the task itself wants a page.
      if (!(fork // die)) {
        my $tries = 2000;
        select(undef, undef, undef, 0.01) until -s "/sys/fs/cgroup${group}/cgroup.kill" or !$tries--;
        print "killed\n";
        kill KILL => getppid;
        exit 0;
      }
      ${accident}
      at(START + 5 * 1048576);
      print "it was read\n";
    `);
    rmSync(`/sys/fs/cgroup${group}/cgroup.events`);
    expect(out).toBe('killed\n');
    expect(readFileSync(`/sys/fs/cgroup${group}/cgroup.kill`, 'utf8')).toBe('1\n');
  });

  test('memory that several tasks share since they were forked is read at once, not as many times', async () => {
    for (const folder of ['snapshots/1', 'images']) for (const name of ['pagemap', 'mm']) writeFileSync(`${tree}/${folder}/${name}-4243.img`, readFileSync(`${tree}/${folder}/${name}-${PID}.img`));
    await sum();
    expect(await serve()).toEqual({ out: '', code: 3 });
  });

  test('pagemaps of another format are for CRIU alone', async () => {
    writeFileSync(`${tree}/snapshots/1/pagemap-${PID}.img`, writeMessages(header, [message([1, 1]), message([1, START], [2, pagesOf(48)], [4, PRESENT | LAZY], [5, pagesOf(48)], [6, 1])]));
    await indexPages(`${tree}/snapshots/1`);
    await sum();
    const { out, code } = await serve();
    expect(out).toContain('memory is read at once');
    expect(code).toBe(3);
  });
});

function damage(path: string, at: number): void {
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.from([0x55]), 0, 1, at + 100);
}
