# Installs what ./test and ./demo need and do not find. Sourced by them, from the root of the tree.
#
# Only packages of the distribution, only through apt, and every command is printed before it runs.

say() { printf '==> %s\n' "$*"; }

# Prints how to help oneself and stops.
stop() {
    printf '\n%s\n' "$*" >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# The library that the embedded recognizer loads at run time, and its acoustic model.
have_pocketsphinx() {
    [ -d /usr/share/pocketsphinx/model/en-us/en-us ] &&
        PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null | grep -q 'libpocketsphinx\.so\.3'
}

# install_packages PACKAGE...: 0 if they are there afterwards.
install_packages() {
    local root=()
    if ! have apt-get; then
        say "There is no apt here, so nothing is installed. Needed: $*"
        return 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        if ! have sudo; then
            say "Not root, and there is no sudo. As root: apt-get install -y $*"
            return 1
        fi
        root=(sudo)
        say "Not root: the next commands go through sudo, which may ask for your password."
    fi
    # Package lists may be missing (containers) or old: a failure is tried again with fresh ones.
    local install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@")
    say "${root[*]:+sudo }apt-get install -y --no-install-recommends $*"
    "${root[@]}" "${install[@]}" >/dev/null 2>&1 && return 0
    say "${root[*]:+sudo }apt-get update, then once more"
    "${root[@]}" apt-get update -q >/dev/null && "${root[@]}" "${install[@]}" >/dev/null
}

# Rust and a C compiler are needed; the embedded recognizer is wanted.
install_missing() {
    have cargo || stop "Rust is missing. Install it from https://rustup.rs and start again:
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"
    if ! have cc; then
        say "A C compiler is missing (SQLite and the crypto library are compiled from C)."
        install_packages gcc libc6-dev || stop "Install a C compiler that answers to 'cc' and start again."
    fi
    if have_pocketsphinx; then
        say "The embedded recognizer is installed."
    else
        say "The embedded recognizer is missing (Debian's PocketSphinx, 38 MB with its model)."
        install_packages libpocketsphinx3 pocketsphinx-en-us ||
            say "Going on without the embedded recognizer."
    fi
}
