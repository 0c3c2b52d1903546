#!/usr/bin/env bash
# Clones the repository into the places where fresh machines have it, and runs a command there: below a folder that
# only root may enter, in a path with spaces, with umask 077, where nobody but root may write to /tmp, as root and as an
# ordinary user. Takes root.
#
#   tests/fresh_machine.sh [COMMAND …]      both commands of the README without one
set -euo pipefail
repository=$(cd "$(dirname "$0")/.." && pwd)
command=("$@")
[ $# -gt 0 ] || command=(sh -c 'npm run --silent demo && npm test')
work=$(mktemp -d /var/tmp/fresh-XXXXXX)
chmod 755 "$work"
failed=0

finish() {
    rm -rf "$work" /root/fresh-machine
    userdel fresh-machine 2>/dev/null || true
}
trap finish EXIT

# Name, folder, account, umask, and what to run the command with.
try() {
    local name=$1 folder=$2 account=$3 mask=$4
    shift 4
    rm -rf "$folder"
    mkdir -p "$(dirname "$folder")"
    (umask "$mask" && git clone -q "$repository" "$folder" && cp -R "$repository/node_modules" "$folder/node_modules")
    # Beside the checkout: what lands in a home folder is none of the repository's files.
    local log=$work/log home=$work/home
    rm -rf "$home"
    mkdir "$home"
    [ "$account" = root ] || chown -R "$account" "$folder" "$home"
    if (cd "$folder" && umask "$mask" && "$@" setpriv --reuid="$account" --regid="$account" --init-groups \
        env HOME="$home" "${command[@]}") >"$log" 2>&1; then
        echo "ok      $name"
    else
        failed=1
        echo "FAILED  $name"
        tail -n 40 "$log" | sed 's/^/        /'
    fi
    rm -rf "$folder" "$home"
}

useradd --system --no-create-home --user-group fresh-machine
try "in /root, mode 0700, as root" /root/fresh-machine/checkout root 022
try "in a path with spaces, umask 077, as root" "$work/a path with spaces/check out" root 077
try "in a path with spaces, umask 077, as a user" "$work/a path with spaces/check out" fresh-machine 077
# A /tmp of its own, where only root may write.
try "in /tmp, mode 0755, as root" /tmp/fresh-machine-checkout root 022 \
    unshare --mount sh -c 'checkout=$(pwd); mkdir -p /mnt/fresh && mount --bind "$checkout" /mnt/fresh && mount -t tmpfs -o mode=0755 tmp /tmp &&
        mkdir /tmp/checkout && mount --bind /mnt/fresh /tmp/checkout && cd /tmp/checkout && exec "$@"' sh
exit $failed
