# shellcheck shell=bash
# For scripts/fetch-guest: the image of a guest that runs guests of its own. It
# holds KVM's modules, QEMU, the kernel to start in there, and the command `l2`
# (tests/guest/assets/l2), which does that.

fetch_nested() {
	fetch_packages "$cache/nested-packages" "qemu-system-ppc and its libraries" qemu-system-ppc
}

# Copies out of the tree $1 into the tree $2 the libraries that the program $3
# needs, and those that they need.
copy_libraries() {
	local from=$1 to=$2 queue=("$3") file name found

	while [ "${#queue[@]}" -gt 0 ]; do
		file=${queue[0]}
		queue=("${queue[@]:1}")
		while read -r name; do
			[ ! -e "$to/usr/lib/powerpc64le-linux-gnu/$name" ] || continue
			# The loader is one of them, in lib64.
			found=$(find "$from/usr/lib" "$from/usr/lib64" -name "$name" -print -quit)
			[ -n "$found" ] || die "no package has the library $name, which ${file##*/} needs."
			install -D -m 755 "$(realpath "$found")" "$to/usr/lib/powerpc64le-linux-gnu/$name"
			queue+=("$to/usr/lib/powerpc64le-linux-gnu/$name")
		done < <(readelf --dynamic --wide "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
	done
}

make_nested() {
	local root=$work/nested all=$work/nested-all file version module modules

	need readelf
	version=$(cat "$cache/kernel-version")
	skeleton "$root"
	(cd "$root" && find . | LC_ALL=C sort) >"$work/nested-before"

	mkdir -p "$all"/usr/{bin,sbin,lib,lib64}
	for file in bin sbin lib lib64; do
		ln -s "usr/$file" "$all/$file"
	done
	while read -r file; do
		unpack "$apt_dir/archives/$file" "$all"
	done <"$cache/nested-packages"
	install -m 755 "$all/usr/bin/qemu-system-ppc64" "$root/usr/bin/"
	# The firmware interface with which QEMU starts a kernel directly; nothing
	# else of its data is needed for a machine without graphics and network.
	install -D -m 644 "$all/usr/share/qemu/vof.bin" "$root/usr/share/qemu/vof.bin"
	copy_libraries "$all" "$root" "$root/usr/bin/qemu-system-ppc64"
	# The name that programs are linked with.
	ln -s ../lib/powerpc64le-linux-gnu/ld64.so.2 "$root/usr/lib64/ld64.so.2"

	modules=$root/usr/lib/modules/$version
	for module in kvm kvm-hv; do
		file=kernel/arch/powerpc/kvm/$module.ko
		[ -f "$cache/modules/$version/$file" ] || die "the kernel $version has no $file."
		install -D -m 644 "$cache/modules/$version/$file" "$modules/$file"
	done
	# As depmod writes it.
	printf '%s\n' 'kernel/arch/powerpc/kvm/kvm.ko:' \
		'kernel/arch/powerpc/kvm/kvm-hv.ko: kernel/arch/powerpc/kvm/kvm.ko' >"$modules/modules.dep"
	install -D -m 644 "$cache/vmlinux" "$root/boot/vmlinux"

	# What l2 leaves out of the image of a guest that needs no guests: all from
	# here, that is, the files that the others have not.
	mkdir -p "$root/usr/share/anykvm"
	(cd "$root" && find . ! -type d | LC_ALL=C sort) |
		LC_ALL=C comm -13 "$work/nested-before" - >"$work/nested-only"
	mv "$work/nested-only" "$root/usr/share/anykvm/nested-only"
	install -m 755 "$assets/l2" "$root/usr/bin/l2"
	ln -s l2 "$root/usr/bin/l3"
	cat >"$root/etc/motd" <<-'END'

		Type  l2           to start a guest inside this guest,
		      l2 --nested  to start one that can do the same,
		      l2 --help    for more.  poweroff -f ends this one.

	END
	pack "$root" "$cache/initramfs-nested.cpio"
	say "made initramfs-nested.cpio"
}
