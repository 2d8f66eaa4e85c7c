# shellcheck shell=bash
# For scripts/fetch-guest: what all images share. They are cpio archives around
# Debian's static busybox.

# Makes $2 out of the tree $1, compressed if its name ends in .gz: the same tree
# gives the same bytes.
pack() {
	local compress=cat

	[[ $2 != *.gz ]] || compress='gzip -n -9'
	(
		cd "$1"
		find . -exec touch -h -d @0 {} +
		find . -mindepth 1 -print0 | LC_ALL=C sort -z |
			cpio --quiet --null --create --format=newc --owner=0:0 --reproducible
	) | $compress >"$work/image"
	mv "$work/image" "$2"
}

# Prints the applets of the busybox $1. Their names stand in the program as one
# block of strings, `[` and `[[` first, each ended by a zero byte, and with an
# empty one at the end. (`busybox --list` would need a machine to run on.)
applets() {
	# All is read: where SIGPIPE is ignored, tr would complain of an end before.
	tr '\0' '\n' <"$1" | LC_ALL=C awk '
		before == "[" && $0 == "[[" && !done { inside = 1; print "[" }
		inside && $0 == "" { inside = 0; done = 1 }
		inside { print }
		{ before = $0 }'
}

# Unpacks busybox into the tree $1, one symbolic link per applet, and /init.
skeleton() {
	local root=$1 applet

	mkdir -p "$root"/{dev,proc,sys,tmp,run,root,etc,usr/bin,usr/lib,usr/lib64}
	ln -s bin "$root/usr/sbin"
	ln -s usr/bin "$root/bin"
	ln -s usr/bin "$root/sbin"
	ln -s usr/lib "$root/lib"
	ln -s usr/lib64 "$root/lib64"
	echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
	echo 'root:x:0:' >"$root/etc/group"
	echo '127.0.0.1 localhost anykvm' >"$root/etc/hosts"
	rm -rf "$work/busybox-deb"
	mkdir "$work/busybox-deb"
	unpack "$busybox" "$work/busybox-deb"
	install -m 755 "$work/busybox-deb/bin/busybox" "$root/usr/bin/busybox"
	applets "$root/usr/bin/busybox" >"$work/applets"
	for applet in sh awk cttyhack poweroff setsid; do
		grep -qx "$applet" "$work/applets" || die "${busybox##*/} seems to lack the applet $applet."
	done
	while read -r applet; do
		[ "$applet" = busybox ] || ln -s busybox "$root/usr/bin/$applet"
	done <"$work/applets"
	install -m 755 "$init" "$root/init"
}

fetch_busybox() {
	local deb

	busybox=
	if [ -z "$update" ] && [ -f "$cache/busybox-package" ]; then
		busybox=$apt_dir/archives/$(cat "$cache/busybox-package")
		[ ! -f "$busybox" ] || return 0
	fi
	say "getting busybox..."
	download only busybox-static
	deb=$(head -n 1 "$work/files")
	echo "$deb" >"$work/busybox-package"
	mv "$work/busybox-package" "$cache/busybox-package"
	busybox=$apt_dir/archives/$deb
}

# Whether $1 is to be made: it is not there, or older than one of the others.
stale() {
	local image=$1 f

	[ -f "$image" ] || return 0
	shift
	for f; do
		[ ! "$f" -nt "$image" ] || return 0
	done
	return 1
}
