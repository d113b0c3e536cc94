#!/usr/bin/env bash
# Does the workspace compile for aarch64, and does NEON give the portable type's bits? The lane tests run under qemu.
# On Debian for x86-64: its rustc-web is a current compiler, whose standard library for arm64 is unpacked below the
# target folder, so that neither rustup nor the system's list of architectures is touched. Where the packages cannot
# be had, one line begins with `skipped:` and the exit code is 0; a failed check is 1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

root=$(realpath -m "${CARGO_TARGET_DIR:-target}")/aarch64-check
packages=(rustc-web gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user)
apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=1 -o Acquire::http::Timeout=20
    -o Acquire::https::Timeout=20 -o DPkg::Lock::Timeout=120)

skip() {
    echo "skipped: aarch64 was not checked: $*"
    exit 0
}

# The installed compiler's version, and the place of its library for arm64.
compiler() { dpkg-query -W -f='${Version}' rustc-web 2>/dev/null; }
std() { echo "$root/std-$(compiler)"; }

is_ready() {
    local n
    n=$(dpkg-query -W -f='${db:Status-Status}\n' "${packages[@]}" 2>/dev/null | grep -cx installed) || return 1
    [ "$n" -eq ${#packages[@]} ] && [ -d "$(std)" ]
}

# --no-remove: rustc-web would replace Debian's own rustc or rustup. The compiler is brought up to date too, as the
# archive keeps one version of its library.
install_packages() {
    local as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    "${as_root[@]}" "${apt[@]}" update >/dev/null || true
    "${as_root[@]}" "${apt[@]}" install -y --no-remove --no-install-recommends "${packages[@]}" >/dev/null
}

# With package lists of its own, below the target folder.
unpack_std() (
    rm -rf "$root"/{apt,std-*} && mkdir -p "$root"/apt/{lists,archives}/partial && cd "$root/apt" || return 1
    apt+=(-o APT::Architectures::=arm64 -o APT::Sandbox::User=root -o "Dir::State::Lists=$PWD/lists"
        -o "Dir::Cache=$PWD")
    "${apt[@]}" update >/dev/null || true
    "${apt[@]}" download "libstd-rust-web-dev:arm64=$(compiler)" >/dev/null || return 1
    dpkg -x ./*.deb unpacked && mv unpacked "$(std)" && rm -rf "$root/apt"
)

[ "$(uname -m)" = x86_64 ] || skip "this is not an x86-64 machine"
[ -n "$(type -P apt-get)" ] || skip "there is no apt-get"
if ! is_ready; then
    echo "check-aarch64: installing ${packages[*]} with apt-get" >&2
    install_packages || skip "could not install ${packages[*]}"
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    dpkg --compare-versions "$(compiler)" ge "$wanted" || skip "rustc-web is $(compiler), not $wanted or later"
    unpack_std || skip "could not get libstd-rust-web-dev $(compiler) for arm64"
fi

export RUSTC=/usr/bin/rustc CARGO_TARGET_DIR=$root CARGO_BUILD_TARGET=aarch64-unknown-linux-gnu
# Goes before every other setting of flags, and with a target given does not reach build scripts.
export CARGO_ENCODED_RUSTFLAGS="--sysroot=$(std)/usr"
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -L /usr/aarch64-linux-gnu"
cargo check --locked --workspace --all-targets || exit 1
# Without the documentation's examples: rustdoc is the other toolchain's.
cargo test --locked --package lanes --lib --tests || exit 1
