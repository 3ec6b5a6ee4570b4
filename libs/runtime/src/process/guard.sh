#!/bin/sh
# Runs a command in a session of its own and ends that whole session when the worker goes away.
#
# usage: guard.sh once|linger COMMAND [ARG ...]    with descriptor 3 the read end of a pipe that the worker holds open
#   once:   the session ends with the command
#   linger: the session lives on after the command, until the pipe closes (guestfish --listen leaves a server behind)
#
# The kernel closes the worker's end when the worker dies, by kill -9 too, and then `read` below returns. A session, not a
# process group, because guestfish --listen detaches and its QEMU may form a group of its own; neither leaves the session.
if [ "$H2K_GUARD_SESSION" != yes ]; then
  H2K_GUARD_SESSION=yes exec setsid -w "$0" "$@"
fi
unset H2K_GUARD_SESSION
mode=$1
shift
exec 4<&0
"$@" <&4 4<&- 3<&- &
child=$!
exec 4<&- 0</dev/null
(
  trap '' TERM
  exec 1>/dev/null 2>&1
  read -r _ <&3
  pkill -TERM -s "$$"
  i=0
  while [ "$i" -lt 10 ] && kill -0 "$child"; do sleep 0.1; i=$((i + 1)); done
  pkill -KILL -s "$$"
) &
watcher=$!
exec 3<&-
trap 'kill -TERM "$child" 2>/dev/null' TERM INT
wait "$child"
code=$?
while kill -0 "$child" 2>/dev/null; do wait "$child"; code=$?; done
if [ "$mode" = linger ] && [ "$code" -eq 0 ]; then
  exec 1>/dev/null 2>&1
  wait "$watcher"
fi
for left in $(pgrep -s "$$"); do
  [ "$left" = "$$" ] || kill -KILL "$left" 2>/dev/null
done
exit "$code"
