#!/bin/sh
# Makes a usable root file system of unpacked Debian packages (no maintainer script ran): $1 is its folder, the rest
# are users, NAME:UID:GROUP-ID. The copyright files stay: the licences ask for it.
set -eu
root=$1
shift

cd "$root"
find usr/share/doc ! -type d ! -name copyright -delete
find usr/share/doc -type d -empty -delete
rm -rf usr/share/man usr/share/locale usr/share/info usr/share/lintian usr/share/bug usr/share/perl5 usr/share/debconf \
    usr/share/menu usr/share/icons usr/share/applications usr/share/pixmaps usr/share/bash-completion usr/share/augeas \
    usr/share/doc-base usr/share/iso-codes usr/share/xml usr/share/initramfs-tools usr/share/gst-plugins-base \
    usr/share/zsh usr/lib/systemd usr/lib/udev etc/cron.daily etc/init.d etc/apt etc/debconf.conf etc/logrotate.d \
    var/lib/apt var/cache/* var/log/* etc/resolv.conf etc/hostname dev/*
find . -xdev -perm /6000 -type f -exec chmod ug-s {} +

mkdir -p etc/ssl/certs
cat usr/share/ca-certificates/mozilla/*.crt >etc/ssl/certs/ca-certificates.crt

{
    echo 'root:x:0:0:root:/root:/bin/sh'
    for user; do
        IFS=: read -r name uid gid <<EOF
$user
EOF
        echo "$name:x:$uid:$gid::/:/usr/sbin/nologin"
    done
    echo 'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin'
} >etc/passwd
{
    echo 'root:x:0:'
    echo 'tty:x:5:'
    echo 'disk:x:6:'
    for user; do
        IFS=: read -r name uid gid <<EOF
$user
EOF
        echo "$name:x:$gid:"
    done | sort -u -t: -k3,3
    echo 'nogroup:x:65534:'
} >etc/group
echo 'hosts: files dns' >etc/nsswitch.conf
ldconfig -r .
