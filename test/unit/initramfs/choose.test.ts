import { expect, test } from 'vitest';
import { chooseInitramfs } from '../../../src/initramfs/choose.ts';

const kernel = { release: '7.3.4', initrd: '/boot/initrd.img-7.3.4' };

test.each(['break=mount', 'boot=live', 'root=nfs:10.0.0.1:/srv', 'overlayroot=tmpfs', 'ip=dhcp', 'cryptdevice=/dev/sda2:root', 'fsck.mode=force', 'rd.luks=1', 'forcefsck'])('what %s asks of the installed initramfs, that does', async (word) => {
  expect(await chooseInitramfs({ kernel, commandLine: `root=/dev/vda ro ${word} quiet`, folder: '/nowhere' })).toEqual({ kind: 'installed', file: '/boot/initrd.img-7.3.4', why: `${word} is on the command line` });
});

test('words that only look like those ask for nothing', async () => {
  const chosen = await chooseInitramfs({ kernel, commandLine: 'root=UUID=1-2 ro bootdelay=3 ipv6.disable=1 debugger', folder: '/nowhere' }, { sys: '/nowhere', proc: '/nowhere' }).catch(() => undefined);
  expect(chosen?.kind === 'installed' ? chosen.why : '').not.toContain('command line');
});
