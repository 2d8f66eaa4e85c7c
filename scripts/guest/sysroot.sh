# What scripts/cross-ppc64le links with. Part of scripts/fetch-guest.
# shellcheck shell=bash disable=SC2154

fetch_sysroot() {
	local file root=$work/sysroot

	[ -n "$update" ] || ! [ -d "$cache/sysroot" ] || return 0
	say "getting the libraries for building for ppc64el..."
	download only libfdt-dev libelf-dev zlib1g-dev
	mkdir "$root"
	while read -r file; do
		unpack "$apt_dir/archives/$file" "$root"
	done <"$work/files"
	rm -rf "$root/usr/share" "$cache/sysroot"
	mv "$root" "$cache/sysroot"
	say "made sysroot/"
}
