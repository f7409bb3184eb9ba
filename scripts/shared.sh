#!/usr/bin/env bash
# What scripts share. They source it; by itself it does nothing.

fail() {
    echo "scripts/${0##*/}: $*" >&2
    exit 1
}

# Stops unless the programs are here: what to install comes first.
need_programs() {
    local packages="$1" program
    shift
    for program; do
        command -v "$program" > /dev/null || fail "there is no $program on this machine. Install the packages $packages."
    done
}

# Builds a product for release. Each function has a section of its own, so that `scripts/relink.py` can lay them out; where
# one script said otherwise, the next would compile everything again.
build_release() {
    [ -e .build/release-in-sections ] || echo "==> The first build takes about ten minutes on two cores; later ones take seconds." >&2
    swift build -c release -Xswiftc -Xfrontend -Xswiftc -function-sections -Xcc -ffunction-sections -Xcc -fdata-sections \
        --product "$1" >&2 && touch .build/release-in-sections
}

# Throw-away PostgreSQL: it refuses to run as root, so when root calls, everything runs as the user postgres.

# Where PostgreSQL's own programs are.
postgres_programs() {
    local folder
    for folder in /usr/lib/postgresql/15/bin /usr/lib/postgresql/*/bin; do
        [ -x "$folder/initdb" ] && echo "$folder" && return
    done
    command -v initdb > /dev/null && dirname "$(command -v initdb)" && return
    fail "there is no initdb on this machine. Install the package postgresql."
}

# Runs a command as the user that owns the cluster, away from folders which that user cannot read.
as_owner() {
    if [ "$(id -u)" -eq 0 ]; then
        (cd / && exec runuser -u postgres -- "$@")
    else
        (cd / && exec "$@")
    fi
}

# Makes a folder of that user's, named after the script, and prints it.
owners_folder() {
    local folder
    # The caller reads it in a substitution, where no error ends the script by itself.
    folder="$(mktemp -d "${TMPDIR:-/tmp}/latchkey-${0##*/}.XXXXXX")" || return
    [ "$(id -u)" -ne 0 ] || chown postgres "$folder" || return
    echo "$folder"
}

# Prints so many ports that nobody listens on.
free_ports() {
    python3 "$(dirname "${BASH_SOURCE[0]}")/../Tests/Blackbox/toolkit/ports.py" "$1"
}

password() {
    od -An -N16 -tx1 /dev/urandom | tr -d ' \n'
}
