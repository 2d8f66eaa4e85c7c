# shellcheck shell=bash
# For scripts/fetch-guest: Debian's kernel and its modules.

fetch_kernel() {
	local meta=linux-image-powerpc64le package version deb

	[ -n "$update" ] || ! [ -f "$cache/kernel-version" ] || ! [ -f "$cache/vmlinux" ] || return 0
	say "getting Debian 12's ppc64el kernel..."
	[ -n "$apt_ready" ] || apt_setup yes
	kernel_package() {
		apt-cache depends "$meta" 2>/dev/null | awk '$1 == "Depends:" && $2 ~ /^linux-image-[0-9]/ { print $2; exit }' || true
	}
	package=$(kernel_package)
	if [ -z "$package" ]; then
		cat "$work/update.log" >&2
		die "the archive's index has no $meta for ppc64el; is the network up?"
	fi
	if ! download_try only "$package" 2>"$work/download.log"; then
		say "cannot get $package with the security updates; trying without them."
		# The kernel's very name may then be another.
		apt_setup no
		package=$(kernel_package)
		[ -n "$package" ] || die "the archive's index has no $meta for ppc64el; is the network up?"
		download only "$package"
	fi
	deb=$apt_dir/archives/$(head -n 1 "$work/files")
	version=${package#linux-image-}
	if [ -f "$cache/kernel-package" ] && [ "$(cat "$cache/kernel-package")" = "${deb##*/}" ] && [ -f "$cache/vmlinux" ]; then
		return
	fi

	mkdir "$work/kernel"
	unpack "$deb" "$work/kernel"
	[ -f "$work/kernel/boot/vmlinux-$version" ] || die "no vmlinux-$version in ${deb##*/}."
	# kernel-version goes first and comes last: with it, all is there.
	rm -rf "$cache/kernel-version" "$cache/modules"
	mv "$work/kernel/boot/vmlinux-$version" "$cache/vmlinux"
	mv "$work/kernel/boot/config-$version" "$cache/kernel-config"
	mv "$work/kernel/lib/modules" "$cache/modules"
	echo "${deb##*/}" >"$cache/kernel-package"
	echo "$version" >"$work/kernel-version"
	mv "$work/kernel-version" "$cache/kernel-version"
	say "kernel $version (${deb##*/})"
}
