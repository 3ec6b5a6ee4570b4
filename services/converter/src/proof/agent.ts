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

/**
 * POSIX shell with what every systemd guest has. Waits until systemd has finished its jobs, then gives addresses up to
 * 20 s to come. One JSON object per line: \`started\`, then \`report\`.
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

printf '{"event":"started"}\\n' >&3
while :; do
  state=$(systemctl is-system-running 2>/dev/null)
  case $state in initializing|starting|'') sleep 1 ;; *) break ;; esac
done
i=0
while [ -n "$(cards)" ] && [ "$i" -lt 20 ]; do
  for card in $(cards); do addresses "$card"; done | grep -qv '^fe80:' && break
  i=$((i + 1)); sleep 1
done
{
  printf '{"event":"report","hostname":'; quoted "$(uname -n)"
  printf ',"kernel":'; quoted "$(uname -r)"
  printf ',"state":'; quoted "$state"
  printf ',"failed_units":'; list $(systemctl --failed --no-legend --plain 2>/dev/null | awk '{ print $1 }')
  printf ',"nics":['
  comma=
  for card in $(cards); do
    printf '%s{"name":' "$comma"; quoted "$card"; comma=,
    printf ',"mac":'; quoted "$(cat "/sys/class/net/$card/address" 2>/dev/null)"
    printf ',"addresses":'; list $(addresses "$card"); printf '}'
  done
  printf ']}\\n'
} >&3
sleep 2
`;
