#!/bin/bash
# Health check of the container: the server answers PING (a server that asks for a password is healthy too).
exec 3<>"/dev/tcp/127.0.0.1/${CAIRN_PORT:-6379}" || exit 1
printf 'PING\r\n' >&3
IFS= read -r -t 3 reply <&3 || exit 1
case $reply in
  +PONG*|-NOAUTH*) exit 0 ;;
  *) echo "$reply"; exit 1 ;;
esac
