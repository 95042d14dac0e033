#!/bin/sh
# Print the path of a Chromium for the tests. The first that is there wins: the one named by
# PIONEER_CHROMIUM, the system's, Debian's (installed here when root), Playwright's own download.
set -eu

if [ -n "${PIONEER_CHROMIUM:-}" ]; then
    [ -x "$PIONEER_CHROMIUM" ] || { echo "PIONEER_CHROMIUM=$PIONEER_CHROMIUM is no program" >&2; exit 1; }
    echo "$PIONEER_CHROMIUM"
    exit
fi

find_installed() {
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        command -v "$name" && return
    done
    return 1
}

find_installed && exit

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    {
        echo "installing Debian's chromium for the tests"
        apt-get update -qq
        # The fonts are for the Chinese on the screenshots.
        DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium fonts-noto-cjk
    } >&2 && find_installed && exit
fi

python=$(dirname "$0")/../.venv/bin/python
echo "downloading Playwright's chromium for the tests" >&2
"$python" -m playwright install chromium >&2 || {
    echo "no Chromium: install one (Debian: apt-get install chromium) or name it in PIONEER_CHROMIUM" >&2
    exit 1
}
"$python" -c 'from playwright.sync_api import sync_playwright as s
with s() as p: print(p.chromium.executable_path)'
