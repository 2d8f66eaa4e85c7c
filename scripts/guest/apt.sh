# shellcheck shell=bash
# apt on its own, for scripts/fetch-guest: a ppc64el machine's, with nothing
# installed, and with configuration, state and cache under $cache/apt. $work is
# for temporary files.

apt_dir=$cache/apt

# Prints "deb ..." lines for Debian 12 out of the host's sources, in both their
# formats. Other archives' lines fall away, since their suites have other names.
# A host with another release of Debian has the same archives: its release's
# name is replaced.
sources() {
	local files=() f host_release
	local security=$1 uri

	if [ -n "${ANYKVM_MIRROR:-}" ]; then
		echo "deb [signed-by=$keyring] $ANYKVM_MIRROR $release main"
		return
	fi
	# shellcheck disable=SC1091
	host_release=$(. /etc/os-release && [ "${ID:-}" = debian ] && echo "${VERSION_CODENAME:-}") || true
	for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ -r "$f" ] && files+=("$f")
	done
	{
		if [ "${#files[@]}" -gt 0 ]; then
			sed -nE 's/[[:space:]]*#.*//; s/^[[:space:]]*deb[[:space:]]+(\[[^]]*\][[:space:]]+)?//p' "${files[@]}" |
				awk '{ for (i = 3; i <= NF; i++) if ($i == "main") print $1, $2 }'
		fi
		for f in /etc/apt/sources.list.d/*.sources; do
			[ -r "$f" ] || continue
			# A stanza's fields may go on in indented lines.
			awk '
				function flush(  i, j, u, s, nu, ns) {
					if ((" " field["types"] " ") ~ / deb / &&
					    (" " field["components"] " ") ~ / main / &&
					    tolower(field["enabled"]) !~ /no|false|off/) {
						nu = split(field["uris"], u, " ")
						ns = split(field["suites"], s, " ")
						for (i = 1; i <= nu; i++)
							for (j = 1; j <= ns; j++)
								print u[i], s[j]
					}
					split("", field)
				}
				/^#/ { next }
				/^[[:space:]]*$/ { flush(); next }
				/^[^[:space:]]/ { key = tolower($1); sub(/:.*/, "", key); sub(/^[^:]*:/, "") }
				{ gsub(/[[:space:]]+/, " "); field[key] = field[key] " " $0 }
				END { flush() }' "$f"
		done
	} | while read -r uri suite; do
		case $suite in
		"$release" | "${host_release:-$release}" | stable) suite=$release ;;
		"$release-updates" | "${host_release:-$release}-updates" | stable-updates) suite=$release-updates ;;
		"$release-security" | "${host_release:-$release}-security" | stable-security)
			[ "$security" = yes ] || continue
			suite=$release-security
			;;
		*) continue ;;
		esac
		echo "deb [signed-by=$keyring] $uri $suite main"
	done | sort -u
}

# Writes the private configuration: $1 says whether with the security suite.
apt_configure() {
	local dir=$apt_dir/$1

	[ -r "$keyring" ] || die "Debian's archive keyring is missing; install the package debian-archive-keyring."
	mkdir -p "$dir/lists/partial" "$dir/cache" "$apt_dir/archives" "$dir/parts"
	# Nothing is installed there.
	: >"$dir/status"
	sources "$1" >"$dir/sources.list"
	grep -q " $release main" "$dir/sources.list" ||
		die "no Debian archive among the host's apt sources; set ANYKVM_MIRROR to the URI of one."
	{
		# How to reach the network (proxies and so on) is the host's
		# business; its hooks, pins and foreign architectures are not
		# ours, hence the empty parts directory below.
		APT_CONFIG='' apt-config dump |
			grep -E '^Acquire::' |
			grep -vE '^Acquire::(IndexTargets|Languages|Changelogs|PDiffs|GzipIndexes|CompressionTypes)' || true
		cat <<-END
			#clear APT::Architectures;
			APT::Architecture "ppc64el";
			APT::Architectures { "ppc64el"; };
			APT::Install-Recommends "false";
			APT::Sandbox::User "";
			Acquire::Languages "none";
			Acquire::Retries "3";
			Debug::NoLocking "true";
			Dir::Etc::main "/dev/null";
			Dir::Etc::parts "$dir/parts";
			Dir::Etc::sourcelist "$dir/sources.list";
			Dir::Etc::sourceparts "$dir/parts";
			Dir::Etc::preferences "/dev/null";
			Dir::Etc::preferencesparts "$dir/parts";
			Dir::State "$dir";
			Dir::State::lists "$dir/lists";
			Dir::State::status "$dir/status";
			Dir::Cache "$dir/cache";
			Dir::Cache::archives "$apt_dir/archives";
		END
	} >"$dir/apt.conf"
	export APT_CONFIG=$dir/apt.conf
}

apt_ready=
# Sets up apt with the security suite ($1 = yes) or without (no).
apt_setup() {
	need apt-get
	need dpkg-deb
	apt_configure "$1"
	# An update in part is good enough: if something lacks in the end, the
	# download fails and says so.
	apt-get -qq update >"$work/update.log" 2>&1 || true
	apt_ready=$1
}

# download_try only|all PACKAGE... : gets the packages, with `all` also what they
# depend on, and leaves the files' names in $work/files.
download_try() {
	local which=$1 packages=("${@:2}")

	if [ "$which" = all ]; then
		mapfile -t packages < <(apt-get -qq -s install "${packages[@]}" | awk '$1 == "Inst" { print $2 }')
		[ "${#packages[@]}" -gt 0 ] || return 1
	fi
	# The lines are: 'URI' FILE SIZE HASH
	apt-get -qq --print-uris download "${packages[@]}" >"$work/uris" || return 1
	awk '{ print $2 }' "$work/uris" >"$work/files"
	# What is there already, whole, is not got again: apt-get looks at the
	# hash. Nothing here counts as got before that has succeeded.
	(cd "$apt_dir/archives" && apt-get -qq download "${packages[@]}")
}

# The security suite's index is at times out of step with its files, above all
# for the rarer architectures: the main suite's version will do then.
download() {
	[ -n "$apt_ready" ] || apt_setup yes
	if ! download_try "$@" 2>"$work/download.log"; then
		if [ "$apt_ready" = yes ]; then
			say "cannot get $2 with the security updates; trying without them."
			apt_setup no
			download_try "$@" 2>"$work/download.log" && return
		fi
		cat "$work/update.log" "$work/download.log" >&2
		die "cannot download ${*:2} for ppc64el."
	fi
}

# fetch_packages MARKER WHAT PACKAGE... : gets the packages and all that they
# depend on, unless they are there; the file MARKER lists the archives' files.
fetch_packages() {
	local marker=$1 what=$2 file

	if [ -z "$update" ] && [ -f "$marker" ]; then
		while read -r file && [ -f "$apt_dir/archives/$file" ]; do
			file=
		done <"$marker"
		[ -n "$file" ] || return 0
	fi
	say "getting $what..."
	download all "${@:3}"
	mv "$work/files" "$marker"
}

unpack() {
	# Not dpkg-deb -x: it would replace a symbolic link /lib by a directory.
	dpkg-deb --fsys-tarfile "$1" | tar -x --keep-directory-symlink --no-same-owner -f - -C "$2"
}
