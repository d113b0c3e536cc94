#!/usr/bin/env bash
# What `make train` and `make test` need besides Rust, on Debian and its relatives: Fashion-MNIST and a linker, and
# the commands that are named as arguments.
# Says and does nothing where all are there. Where a package cannot be had, it says so and goes on: the program
# downloads the data itself, or explains what is missing.
set -euo pipefail

packages=()
[ -n "${DANLU_DATA:-}" ] || [ -d /usr/share/datasets/fashion-mnist ] || packages+=(dataset-fashion-mnist)
command -v cc >/dev/null || packages+=(gcc libc6-dev)
for name in "$@"; do
    command -v "$name" >/dev/null && continue
    case $name in
        chromedriver) packages+=(chromium chromium-driver) ;;
        *) packages+=("$name") ;;
    esac
done
[ ${#packages[@]} -gt 0 ] || exit 0
command -v apt-get >/dev/null || exit 0

as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=1 \
        -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 -o DPkg::Lock::Timeout=120 "$@" >/dev/null
}

echo "setup: installing ${packages[*]} with apt-get" >&2
if ! { apt update && apt install -y --no-install-recommends "${packages[@]}"; }; then
    echo "setup: could not install ${packages[*]}; going on without" >&2
fi
