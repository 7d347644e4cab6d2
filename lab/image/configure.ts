import { GUEST_ADDRESS, HOST_ADDRESS } from '../net/namespace.js';

/**
 * What is done to the tree once all packages are in: the network, a key for root, and services that
 * listen to the outside, configured as an administrator would. Unit files and their sandboxes stay
 * as Debian ships them.
 */
export function configureScript(publicKey: string): string {
  return `#!/bin/sh
# $1 is the guest's tree.
set -eu
cd "$1"

echo guest > etc/hostname
printf '127.0.0.1 localhost\\n127.0.1.1 guest\\n::1 localhost ip6-localhost ip6-loopback\\n' > etc/hosts
# Nobody to ask: without this, name lookups would wait for the build host's name servers.
: > etc/resolv.conf
echo '/dev/vda / ext4 defaults,errors=remount-ro 0 1' > etc/fstab
printf '[Match]\\nName=en* eth*\\n[Network]\\nAddress=${GUEST_ADDRESS}/24\\nGateway=${HOST_ADDRESS}\\n' > etc/systemd/network/10-lab.network
chroot . systemctl enable systemd-networkd
rm -f etc/machine-id
chroot . systemd-machine-id-setup

install -d -m 700 root/.ssh
echo '${publicKey}' > root/.ssh/authorized_keys
chmod 600 root/.ssh/authorized_keys

# Housekeeping that would fire when the clock of a resumed guest is set, in the middle of a measurement.
for timer in apt-daily apt-daily-upgrade dpkg-db-backup e2scrub_all fstrim logrotate man-db; do
  chroot . systemctl mask "$timer.timer"
done

sed -i -e 's/^bind .*/bind 0.0.0.0/' -e 's/^protected-mode .*/protected-mode no/' -e 's/^appendonly .*/appendonly yes/' etc/redis/redis.conf
sed -i -e '/^-l ::1/d' -e 's/^-l .*/-l 0.0.0.0/' etc/memcached.conf
for cluster in etc/postgresql/*/main; do
  echo "listen_addresses = '*'" > "$cluster/conf.d/lab.conf"
  echo 'host all all 10.77.0.0/24 trust' >> "$cluster/pg_hba.conf"
done
printf '[mariadbd]\\nbind-address = 0.0.0.0\\n' > etc/mysql/mariadb.conf.d/70-lab.cnf
chroot . install -d -o mysql -g mysql /run/mysqld
chroot . mariadbd --user=mysql --bootstrap <<SQL
FLUSH PRIVILEGES;
CREATE DATABASE lab;
CREATE USER 'lab'@'${HOST_ADDRESS}';
GRANT ALL PRIVILEGES ON lab.* TO 'lab'@'${HOST_ADDRESS}';
SQL
rm -rf run/mysqld
`;
}
