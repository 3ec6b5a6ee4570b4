/** What reports from inside the guest. It is written to a throw-away overlay only, never to the result. */

/** Name of the virtio-serial port. */
export const PROOF_PORT = 'org.hyper2kvm.proof';

export const SCRIPT_PATH = '/etc/hyper2kvm-proof.sh';
export const UNIT_PATH = '/etc/systemd/system/hyper2kvm-proof.service';
export const UNIT_LINK = '/etc/systemd/system/multi-user.target.wants/hyper2kvm-proof.service';

/** `simple`, not `oneshot`: a unit that is still starting would keep the system in "starting" for ever. */
export const UNIT = `[Unit]
Description=hyper2kvm boot proof
After=basic.target

[Service]
Type=simple
ExecStart=/bin/sh ${SCRIPT_PATH}

[Install]
WantedBy=multi-user.target
`;

export const PATIENCE_PATH = '/etc/systemd/system.conf.d/90-hyper2kvm-proof.conf';

/**
 * Without KVM a busy host emulates ten times slower: devices that are there need longer than systemd's 90 s. What a systemd
 * does not know (DefaultDeviceTimeoutSec is of 252) it ignores.
 */
export const PATIENCE = '[Manager]\nDefaultTimeoutStartSec=300\nDefaultDeviceTimeoutSec=300\n';

/**
 * A line for /etc/inittab. Both kinds of init run \`once\` only after what they wait for, so it is the end of the boot.
 * Busybox (Alpine) knows neither ids nor run levels.
 */
export const inittabLine = (busybox: boolean): string => `${busybox ? '::' : 'h2kp:2345:'}once:/bin/sh ${SCRIPT_PATH}`;

/**
 * POSIX shell with what every guest has. Waits until systemd, where there is one, has finished its jobs, then gives each
 * NIC that is up 20 s to get its address. One JSON object per line: \`started\`, then \`report\`.
 */
export const SCRIPT = `#!/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin; LC_ALL=C; export PATH LC_ALL

port() {
  for name in /sys/class/virtio-ports/*/name; do
    [ "$(cat "$name" 2>/dev/null)" = ${PROOF_PORT} ] || continue
    name=\${name%/name}; echo "/dev/\${name##*/}"; return 0
  done
  return 1
}
i=0
until device=$(port) && [ -c "$device" ]; do
  i=$((i + 1)); [ "$i" -lt 120 ] || exit 1
  [ "$i" -ne 5 ] || modprobe virtio_console 2>/dev/null
  sleep 1
done
exec 3>"$device" || exit 1

quoted() { printf '"%s"' "$(printf %s "$1" | tr -d '\\000-\\037' | sed 's/[\\\\"]/\\\\&/g')"; }
list() { first=1; printf '['; for item in "$@"; do [ $first = 1 ] || printf ','; first=0; quoted "$item"; done; printf ']'; }
cards() { for card in /sys/class/net/*; do card=\${card##*/}; [ "$card" = lo ] || [ ! -e "/sys/class/net/$card" ] || echo "$card"; done; }
addresses() { ip -o addr show dev "$1" 2>/dev/null | sed -n 's/.* inet6\\{0,1\\} \\([^ ]*\\).*/\\1/p'; }

failed() {
  if [ -d /run/systemd/system ]; then systemctl --failed --no-legend --plain 2>/dev/null | awk '{ print $1 }'
  else rc-status --nocolor --crashed 2>/dev/null | awk '{ print $1 }'; fi
}
# A card of a bond or bridge has its address there.
lacking() {
  for card in $(cards); do
    [ ! -e "/sys/class/net/$card/master" ] || continue
    [ $(($(cat "/sys/class/net/$card/flags") & 1)) = 1 ] || continue
    addresses "$card" | grep -qv '^fe80:' || return 0
  done
  return 1
}
configured() { for card in $(cards); do addresses "$card"; done | grep -qv '^fe80:'; }

printf '{"event":"started"}\\n' >&3
state=running
while [ -d /run/systemd/system ]; do
  state=$(systemctl is-system-running 2>/dev/null)
  case $state in initializing|starting|'') sleep 1 ;; *) break ;; esac
done
i=0
while [ -n "$(cards)" ] && [ "$i" -lt 20 ]; do
  if configured && ! lacking; then break; fi
  i=$((i + 1)); sleep 1
done
{
  printf '{"event":"report","hostname":'; quoted "$(uname -n)"
  printf ',"kernel":'; quoted "$(uname -r)"
  printf ',"state":'; quoted "$state"
  printf ',"failed_units":'; list $(failed)
  printf ',"nics":['
  comma=
  for card in $(cards); do
    printf '%s{"name":' "$comma"; quoted "$card"; comma=,
    printf ',"mac":'; quoted "$(cat "/sys/class/net/$card/address" 2>/dev/null)"
    printf ',"permanent_mac":'; quoted "$(ip -o link show dev "$card" 2>/dev/null | sed -n 's/.* permaddr \\([^ ]*\\).*/\\1/p')"
    [ ! -e "/sys/class/net/$card/master" ] || printf ',"enslaved":true'
    printf ',"addresses":'; list $(addresses "$card"); printf '}'
  done
  printf ']}\\n'
} >&3
sleep 2
`;
