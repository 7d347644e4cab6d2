import { promises as fs } from 'node:fs';
import { display } from '../tools/command.ts';
import { closeCommand, forgetKey, isOpen, makeCommand, mountCommand, openCommand, openVault, reopenVault, setNice, settingNice, wipeVault, writingDirectly, type Vault } from '../tools/vault.ts';
import type { Store } from './store.ts';

/** An encrypted container on the disk (docs/images.md). */
export const disk = (vault: Vault): Store => ({
  open: () => openVault(vault),
  opening: () => [
    `head -c 64 /dev/urandom >${display([vault.key])} # on a ramfs`,
    `truncate -s SIZE ${display([vault.file])} # sparse`,
    display(openCommand(vault)),
    writingDirectly(vault),
    display(makeCommand(vault)),
    `mkdir -m 0700 ${display([vault.folder])} && ${display(mountCommand(vault))}`,
  ],
  wiping: () => [`umount ${display([vault.folder])} && ${display(closeCommand(vault))}`, `rm -rf ${display([vault.key, vault.sealedKey, vault.file, vault.folder])}`],
  setNice: (nice) => setNice(vault, nice),
  settingNice: (nice) => settingNice(vault, nice),
  reopen: () => reopenVault(vault),
  isReadable: async () => (await isOpen(vault)) || (await fs.access(vault.sealedKey).then(() => true, () => false)),
  forgetKey: () => forgetKey(vault),
  wipe: () => wipeVault(vault),
});
