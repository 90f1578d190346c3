#!/usr/bin/env bash
# Brings the Chromium and the Chinese font that the console's tests need: from Debian where we are
# root, else the build that Playwright downloads. Does nothing where they are there already.
set -euo pipefail
python=$1

if command -v chromium >/dev/null && [ -n "$(find /usr/share/fonts -name 'NotoSansCJK*' -print -quit 2>/dev/null)" ]; then
  exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -qq -y --no-install-recommends chromium fonts-noto-cjk >/dev/null
elif ! command -v chromium >/dev/null; then
  "$python" -m playwright install chromium
fi
