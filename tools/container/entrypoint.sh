#!/bin/bash
# Entry point of the container: starts the given command, by default the server on /data.
#
# As root it gives up root: it becomes the owner of the data directory, or, where that is root's, makes it the `cairn` user's. Where
# neither can be done (a directory that cannot be handed over), it stays root rather than refuse to start. With `docker run --user`
# it changes nothing. Flags given by the user come after ours, so theirs win.
set -eu

DATA_DIRECTORY=${CAIRN_DATA:-/data}

# `docker run image --maxmemory 1gb` and `docker run image /etc/cairn.conf` mean the server.
if [ $# -eq 0 ] || [ "${1#-}" != "$1" ] || [ "${1%.conf}" != "$1" ]; then
  set -- cairn-server "$@"
fi

if [ "$(basename "$1")" = cairn-server ]; then
  program=$1
  shift
  defaults=(--dir "$DATA_DIRECTORY")
  if [ $# -gt 0 ] && [ "${1#-}" = "$1" ] && [ -f "$1" ]; then
    file=$1
    shift
    grep -qiE '^[[:space:]]*dir[[:space:]]' "$file" && defaults=()
    # Only published ports reach a container: the protection that asks for a password on open addresses is the publisher's choice.
    grep -qiE '^[[:space:]]*protected-mode[[:space:]]' "$file" || defaults+=(--protected-mode no)
    set -- "$program" "$file" ${defaults[@]+"${defaults[@]}"} "$@"
  else
    set -- "$program" "${defaults[@]}" --protected-mode no "$@"
  fi
fi

can_write_as() {
  setpriv --reuid="$1" --regid="$2" --clear-groups test -w "$DATA_DIRECTORY" 2>/dev/null
}

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
  mkdir -p "$DATA_DIRECTORY"
  owner=$(stat -c %u "$DATA_DIRECTORY")
  group=$(stat -c %g "$DATA_DIRECTORY")
  if [ "$owner" = 0 ] && id cairn >/dev/null 2>&1; then
    owner=$(id -u cairn)
    group=$(id -g cairn)
    chown -R "$owner:$group" "$DATA_DIRECTORY" 2>/dev/null || true
  fi
  if [ "$owner" != 0 ] && can_write_as "$owner" "$group"; then
    exec setpriv --reuid="$owner" --regid="$group" --clear-groups "$@"
  fi
fi
exec "$@"
