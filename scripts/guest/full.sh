# shellcheck shell=bash
# For scripts/fetch-guest: the image with large programs.

fetch_full() {
	fetch_packages "$cache/full-packages" "python3, openssl, 7zip, zstd and their libraries" \
		python3-minimal libpython3-stdlib openssl 7zip zstd
}

make_full() {
	local root=$work/full file minor

	skeleton "$root"
	while read -r file; do
		# What depends on these does so for package management only.
		case $file in
		dpkg_* | tar_* | media-types_* | readline-common_* | gcc-*-base_*) continue ;;
		esac
		unpack "$apt_dir/archives/$file" "$root"
	done <"$cache/full-packages"
	rm -rf "$root"/usr/share/{doc,man,lintian,locale,bug,bash-completion,applications,pixmaps,perl5,binfmts} \
		"$root"/usr/lib/python3*/{idlelib,lib2to3,pydoc_data,turtledemo,ensurepip,distutils,config-*} \
		"$root"/usr/lib/*/gconv
	# Debian's 7zip has the one name 7zz; most know it by the other.
	ln -s 7zz "$root/usr/bin/7z"
	install -m 755 "$programs_out/mixed" "$root/usr/bin/mixed"
	install -m 755 "$programs_out/mixed-p9" "$root/usr/bin/mixed-p9"

	# Debian compiles the modules of Python when it installs them. Byte code
	# is the same on all architectures, but not in all versions.
	for minor in "$root"/usr/lib/python3.*/; do
		[ -f "$minor/os.py" ] || continue
		minor=$(basename "$minor")
		if command -v "$minor" >/dev/null; then
			"$minor" -m compileall -q --invalidation-mode unchecked-hash \
				-s "$root" -p / "$root/usr/lib/$minor" ||
				die "cannot compile the modules of the guest's Python."
		else
			say "the host lacks $minor: Python will start more slowly in the guest."
		fi
	done
	pack "$root" "$cache/initramfs-full.cpio.gz"
	say "made initramfs-full.cpio.gz"
}
