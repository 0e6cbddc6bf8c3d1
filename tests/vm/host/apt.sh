# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Where packages come from: always this machine's own apt configuration, so
# that private mirrors and proxies work and no host name is written down here.

# shellcheck disable=SC2016 # apt expands it
APT_FORMAT='$(SITE)|$(RELEASE)|$(SOURCESENTRY)|$(ORIGIN)|$(COMPONENT)'

apt_targets() {
	apt-get indextargets --format "$APT_FORMAT" 'Created-By: Packages' |
		grep '|Debian|main$' || true
}

# The base address of the main archive, or with "security" of that one.
apt_site() {
	local want=${1:-main} site release rest

	apt_targets | while IFS='|' read -r site release rest; do
		case $want:$release in
		security:*-security | security:*/updates)
			echo "$site"
			break
			;;
		main:*-security | main:*/updates | main:*-backports)
			;;
		main:*)
			echo "$site"
			break
			;;
		esac
	done
}

# The Signed-By value of the sources entry that serves the main archive.
apt_signed_by() {
	local entry file key

	entry=$(apt_targets | head -n 1 | cut -d'|' -f3)
	file=${entry%:*}
	case $file in
	*.sources)
		key=$(awk -v want="${entry##*:}" '
			BEGIN { RS = ""; FS = "\n" }
			NR == want {
				for (i = 1; i <= NF; i++)
					if (tolower($i) ~ /^signed-by:/) {
						sub(/^[^:]*:[ \t]*/, "", $i)
						print $i
					}
			}' "$file")
		;;
	*.list)
		key=$(sed -n "${entry##*:}s/.*signed-by=\([^] ]*\).*/\1/p" "$file")
		;;
	esac
	# Only a file can be handed on; else fall back to Debian's own keyring.
	[ -f "${key:-}" ] || key=/usr/share/keyrings/debian-archive-keyring.gpg
	echo "$key"
}

# Transport settings (proxy, validity checks) of this machine's apt.
apt_options() {
	apt-config dump |
		grep -E '^Acquire::(https?::|Check-|Retries|ForceIPv|By-Hash)' |
		grep -v '""' || true
}

# apt_sources RELEASE KEYRING [backports]: sources.list lines on stdout
apt_sources() {
	local release=$1 key=$2 extra=${3:-} main security

	main=$(apt_site main)
	security=$(apt_site security)
	[ -n "$main" ] || die "apt on this machine has no Debian archive configured"
	echo "deb [signed-by=$key] $main $release main"
	# those have neither updates nor backports
	case $release in testing | unstable) return 0 ;; esac
	echo "deb [signed-by=$key] $main $release-updates main"
	[ -z "$security" ] ||
		echo "deb [signed-by=$key] $security $release-security main"
	[ -z "$extra" ] ||
		echo "deb [signed-by=$key] $main $release-$extra main"
}

# apt_root_make DIR RELEASE KEYRING [backports]: a private apt state directory
# with the index of RELEASE, to ask questions of and to download with. It is
# temporary: it holds the mirror's name.
apt_root_make() {
	local dir=$1

	shift
	mkdir -p "$dir"/{lists/partial,cache/archives/partial,parts,trusted}
	: >"$dir/status"
	apt_sources "$@" >"$dir/sources.list"
	apt_options >"$dir/apt.conf"
	cat >>"$dir/apt.conf" <<-CONF
	Dir::Etc::sourcelist "$dir/sources.list";
	Dir::Etc::sourceparts "$dir/parts";
	Dir::Etc::preferences "$dir/none";
	Dir::Etc::preferencesparts "$dir/parts";
	Dir::Etc::main "$dir/none";
	Dir::Etc::parts "$dir/parts";
	Dir::State::lists "$dir/lists";
	Dir::State::status "$dir/status";
	Dir::Cache "$dir/cache";
	Acquire::Languages "none";
	APT::Architecture "amd64";
	APT::Architectures "amd64";
	APT::Sandbox::User "root";
	APT::Get::List-Cleanup "false";
	CONF
	apt_root "$dir" apt-get update -q -o APT::Update::Error-Mode=any
}

apt_root() {
	local dir=$1

	shift
	APT_CONFIG=$dir/apt.conf "$@"
}

# apt_keyring RELEASE [backports]: a keyring that verifies RELEASE. The host's
# own if it does; else the one in the newest keyring package that an archive
# verified with the host's own keys offers. Nothing is ever left unverified.
apt_keyring() {
	local release=$1 extra=${2:-} tmp own from

	own=$(apt_signed_by)
	tmp=$(mktemp -d "$VM_CACHE/tmp/apt.XXXXXX")
	if apt_root_make "$tmp/own" "$release" "$own" "$extra" >&2; then
		rm -rf "$tmp"
		echo "$own"
		return
	fi
	say "the host's keyring does not verify $release, looking for a newer one" >&2
	for from in trixie bookworm; do
		apt_root_make "$tmp/$from" "$from" "$own" >&2 || continue
		(cd "$tmp" && apt_root "$tmp/$from" \
			apt-get download -q debian-archive-keyring >&2) || continue
		dpkg-deb -x "$tmp"/debian-archive-keyring_*.deb "$tmp/keys"
		mkdir -p "$VM_CACHE/keyring"
		cp "$tmp/keys/usr/share/keyrings/debian-archive-keyring.gpg" \
			"$VM_CACHE/keyring/$release.gpg"
		rm -rf "$tmp"
		echo "$VM_CACHE/keyring/$release.gpg"
		return
	done
	rm -rf "$tmp"
	die "no keyring verifies $release"
}
