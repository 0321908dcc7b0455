#!/bin/bash
# sogo.sh - a real Exchange ActiveSync server from Debian 12 packages only.
#
#   SOGo (sogo + sogo-activesync) + PostgreSQL + Dovecot (IMAP, LMTP) + memcached
#   + a small SMTP sink (smtp_sink.py -> Dovecot LMTP) + nginx (TLS).
#
# Run as root on Debian 12. Needs no systemd and no terminal; nothing of the
# distribution's own service configuration is used or changed. Everything
# (configuration, data, logs, pid files, keys) lies under $STATE_DIR. Every daemon
# binds 127.0.0.1.
#
#   sogo.sh [start]   install what is missing, start what is not running, seed once
#   sogo.sh stop      end exactly the processes that start recorded
#   sogo.sh reset     every mailbox, calendar and device state back to the seed
#   sogo.sh status    one line per daemon; exit 1 if one is down
#   sogo.sh env       endpoint and credentials as shell assignments
#   sogo.sh accounts  write $STATE_DIR/accounts.toml (for --accounts), print its path
#   sogo.sh check     IMAP login and authenticated OPTIONS for every account
#   sogo.sh install   apt part only
#
# Settings (environment): STATE_DIR, LAB_PORT_BASE (default 20000, 1000 ports
# from there are ours), LAB_DOMAIN (lab.test), SOGO_WORKERS (24), SOGO_PING_MAX
# (120, seconds), SOGO_SYNC_MAX (60), SOGO_POLL (5; less than 5 makes SOGo answer
# a Ping late: it sleeps 5 s per round all the same), SOGO_EAS_DEBUG (YES: sogo.log
# holds every request and response as XML, for 3 % more time per request),
# SOGO_EAS_ROOM ("Room 1": only users in that room may use ActiveSync, the others
# get HTTP 403; alice sits in Room 1, bob in Room 2 and so on; empty: everybody).
# They take effect when a daemon starts: after `stop` or in `reset`.
set -euo pipefail

STATE=${STATE_DIR:-/tmp/sogo-lab}
BASE=${LAB_PORT_BASE:-20000}
DOMAIN=${LAB_DOMAIN:-lab.test}
WORKERS=${SOGO_WORKERS:-24}
PING_MAX=${SOGO_PING_MAX:-120}
SYNC_MAX=${SOGO_SYNC_MAX:-60}
POLL=${SOGO_POLL:-5}
EASDEBUG=${SOGO_EAS_DEBUG:-YES}
ROOM=${SOGO_EAS_ROOM:-}

P_PG=$((BASE+10)) P_MEMC=$((BASE+11)) P_IMAP=$((BASE+12)) P_LMTP=$((BASE+13))
P_SMTP=$((BASE+14)) P_SOGO=$((BASE+15)) P_HTTP=$((BASE+80)) P_TLS=$((BASE+443)) P_TLS12=$((BASE+442))

# Four pairs, owner and partner in turn; each owner is seeded, each pair is one lease.
USERS=(alice bob carol dave erin frank grace heidi)
DB_PW=sogo-lab-db

PKGS=(sogo sogo-activesync postgresql dovecot-imapd dovecot-lmtpd memcached
      nginx-light openssl python3 python3-aiosmtpd)

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
RUN=$STATE/run
ACCOUNTS=$STATE/accounts.toml
EAS_URL=https://localhost:$P_TLS/Microsoft-Server-ActiveSync

# What a caller's shell brings along must not change the server: CI has other
# locales, time zones, masks and proxies than a desk.
umask 022
export LC_ALL=C.UTF-8 TZ=UTC no_proxy='*' PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin
cd /

say() { printf '%s\n' "$*" >&2; }
die() { say "sogo lab: $*"; exit 1; }
secret_of() { printf '%s-Secret1' "$1"; }
full_name() { printf '%s Example' "${1^}"; }

case $STATE in /*) ;; *) say "STATE_DIR must be an absolute path"; exit 2;; esac
[ "${#STATE}" -le 60 ] || { say "STATE_DIR too long for unix sockets"; exit 2; }

# ---------------------------------------------------------------- processes
# A record is "PID STARTTIME" (field 22 of /proc/PID/stat), so that a reused pid
# is never taken for ours. A zombie has ended: a container's first process may be
# slow to collect it.
starttime() { local s; s=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
              s=${s##*) }; set -- $s; [ "$1" != Z ] || return 1; echo "${20}"; }
record() { local st; st=$(starttime "$2") || die "$1 died at once, see $STATE"
           echo "$2 $st" > "$RUN/$1.pid"; }
alive() { local pid st; [ -f "$RUN/$1.pid" ] || return 1
          read -r pid st < "$RUN/$1.pid"
          [ "$(starttime "$pid" 2>/dev/null)" = "$st" ]; }
wait_port() { local i; for ((i = 0; i < 200; i++)); do
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0; sleep 0.1
  done; die "nothing listens on 127.0.0.1:$1 ($2), see $STATE"; }
wait_pidfile() { local i; for ((i = 0; i < 100; i++)); do
    [ -s "$1" ] && return 0; sleep 0.1; done; die "no pid file $1"; }
stop_one() { # NAME SIGNAL [PATIENCE in tenths of a second]
  local name=$1 sig=$2 patience=${3:-100} pid st i
  [ -f "$RUN/$name.pid" ] || return 0
  if alive "$name"; then
    read -r pid st < "$RUN/$name.pid"
    kill "-$sig" "$pid" 2>/dev/null || true
    for ((i = 0; i < patience; i++)); do alive "$name" || break; sleep 0.1; done
    if alive "$name"; then say "$name did not end, KILL"; kill -KILL "$pid" 2>/dev/null || true; fi
    say "stopped $name ($pid)"
  fi
  rm -f "$RUN/$name.pid"
}
need_free() { # PORT NAME: never mistake a stranger's listener for ours
  ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null ||
    die "port $1 ($2) is taken by a process this lab did not record; set LAB_PORT_BASE"
}
DAEMONS=(nginx sogod smtp dovecot memcached postgres)

stop_sogod() { # SIGNAL
  local kids=() k pid st
  if alive sogod; then
    read -r pid st < "$RUN/sogod.pid"
    for k in $(cat "/proc/$pid/task/$pid/children" 2>/dev/null); do
      kids+=("$k $(starttime "$k" 2>/dev/null || echo none)")
    done
  fi
  stop_one sogod "$1" 20 # a sogod asked kindly waits half a minute for its workers
  for k in "${kids[@]:-}"; do
    [ -n "$k" ] || continue; read -r pid st <<<"$k"
    if [ "$(starttime "$pid" 2>/dev/null || true)" = "$st" ]; then kill -KILL "$pid" 2>/dev/null || true; fi
  done
}

do_stop() {
  [ -d "$RUN" ] || { say "nothing to stop in $STATE"; return 0; }
  stop_one nginx TERM
  stop_one nginx-worker KILL
  stop_sogod TERM
  stop_one smtp TERM
  stop_one dovecot TERM
  stop_one memcached TERM
  stop_one postgres INT
}

# ---------------------------------------------------------------- install
do_install() {
  local miss=() p
  for p in "${PKGS[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null || true)" = installed ] || miss+=("$p")
  done
  [ ${#miss[@]} -gt 0 ] || { say "packages: all there"; return 0; }
  command -v apt-get >/dev/null || die "needs Debian's packages (${miss[*]}), and there is no apt-get"
  say "packages: installing ${miss[*]}"
  # Keep the packages from starting their own services, without touching policy-rc.d.
  local shim=$STATE/noinit n
  mkdir -p "$shim"
  for n in invoke-rc.d deb-systemd-invoke; do
    printf '#!/bin/sh\nexit 0\n' > "$shim/$n"; chmod 755 "$shim/$n"
  done
  local try
  for try in 1 2; do
    if PATH=$shim:$PATH DEBIAN_FRONTEND=noninteractive \
       apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${miss[@]}" \
       > "$STATE/apt.log" 2>&1 < /dev/null; then return 0; fi
    [ $try = 1 ] && apt-get -o DPkg::Lock::Timeout=300 update >> "$STATE/apt.log" 2>&1
  done
  tail -5 "$STATE/apt.log" >&2; die "apt-get failed, see $STATE/apt.log"
}

# ---------------------------------------------------------------- parts
PG=$STATE/pg
pg_bin() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1; }
psql_in() { runuser -u postgres -- "$(pg_bin)/psql" -q -X -v ON_ERROR_STOP=1 -h "$PG/sock" -p "$P_PG" -d "$1"; }

part_postgres() {
  alive postgres && return 0
  need_free "$P_PG" PostgreSQL
  local bin; bin=$(pg_bin)
  # Without fsync an unclean end may leave a torn cluster. All of it can be made again.
  [ ! -e "$PG/data/postmaster.pid" ] || { say "PostgreSQL did not end cleanly: starting afresh"; rm -rf "$PG"; }
  if [ ! -f "$PG/.made" ]; then
    rm -rf "$PG"; rm -f "$STATE/.seeded"
    install -d -o postgres -g postgres -m 700 "$PG" "$PG/sock"
    runuser -u postgres -- "$bin/initdb" -D "$PG/data" -E UTF8 --locale=C.UTF-8 --no-sync \
      --auth-local=peer --auth-host=scram-sha-256 > "$STATE/log/initdb.log" 2>&1
    cat >> "$PG/data/postgresql.conf" <<-CONF
	listen_addresses = '127.0.0.1'
	port = $P_PG
	unix_socket_directories = '$PG/sock'
	fsync = off
	synchronous_commit = off
	full_page_writes = off
	shared_buffers = 32MB
	max_connections = 400
	CONF
    touch "$PG/.made"
  fi
  # the port may have been changed between two starts
  sed -i "s/^port = .*/port = $P_PG/" "$PG/data/postgresql.conf"
  runuser -u postgres -- "$bin/pg_ctl" -D "$PG/data" -l "$PG/server.log" -w -t 30 start >/dev/null < /dev/null ||
    { tail -5 "$PG/server.log" >&2; die "PostgreSQL did not start, see $PG/server.log"; }
  record postgres "$(head -1 "$PG/data/postmaster.pid")"
}

make_database() { # an empty one, with the directory of users
  psql_in postgres <<-SQL
	SET client_min_messages = warning;
	DROP DATABASE IF EXISTS sogo WITH (FORCE);
	DROP ROLE IF EXISTS sogo;
	CREATE ROLE sogo LOGIN PASSWORD '$DB_PW';
	CREATE DATABASE sogo OWNER sogo ENCODING 'UTF8' TEMPLATE template0;
	SQL
  { cat <<-SQL
	SET ROLE sogo;
	CREATE TABLE lab_users (c_uid text PRIMARY KEY, c_name text, c_password text, c_cn text,
	  mail text, givenname text, sn text, telephonenumber text, mobile text, title text,
	  c_o text, l text);
	SQL
    local i u
    for i in "${!USERS[@]}"; do
      u=${USERS[i]}
      printf "INSERT INTO lab_users VALUES ('%s','%s','%s','%s','%s','%s','Example','+1 555 0%d00','+1 555 0%d01','Tester','Lab','Room %d');\n" \
        "$u" "$u" "$(secret_of "$u")" "$(full_name "$u")" "$u@$DOMAIN" "${u^}" $((i+1)) $((i+1)) $((i+1))
    done
  } | psql_in sogo
}

part_memcached() {
  alive memcached && return 0
  need_free "$P_MEMC" memcached
  install -d -o nobody -m 755 "$STATE/memcached"
  rm -f "$STATE/memcached/memcached.pid"
  memcached -d -u nobody -l 127.0.0.1 -p "$P_MEMC" -U 0 -m 32 -P "$STATE/memcached/memcached.pid" >> "$STATE/log/memcached.out" 2>&1 < /dev/null
  wait_port "$P_MEMC" memcached; wait_pidfile "$STATE/memcached/memcached.pid"
  record memcached "$(cat "$STATE/memcached/memcached.pid")"
}

part_dovecot() {
  alive dovecot && return 0
  need_free "$P_IMAP" IMAP; need_free "$P_LMTP" LMTP
  local d=$STATE/dovecot u
  mkdir -p "$d/run"
  install -d -o mail -g mail -m 700 "$STATE/mail"
  for u in "${USERS[@]}"; do printf '%s:{PLAIN}%s\n' "$u" "$(secret_of "$u")"; done > "$d/users"
  chown root:dovecot "$d/users"; chmod 640 "$d/users"
  cat > "$d/dovecot.conf" <<-CONF
	base_dir = $d/run
	state_dir = $d/run
	instance_name = sogo-lab
	protocols = imap lmtp
	listen = 127.0.0.1
	log_path = $STATE/log/dovecot.log
	ssl = no
	disable_plaintext_auth = no
	auth_mechanisms = plain login
	auth_username_format = %Ln
	mail_location = maildir:$STATE/mail/%n
	mail_home = $STATE/mail/%n.home
	first_valid_uid = 1
	first_valid_gid = 1
	mail_privileged_group = mail
	default_internal_user = dovecot
	default_login_user = dovenull
	imap_max_line_length = 2M
	passdb {
	  driver = passwd-file
	  args = username_format=%Ln $d/users
	}
	userdb {
	  driver = static
	  args = uid=mail gid=mail home=$STATE/mail/%n.home
	}
	namespace inbox {
	  inbox = yes
	  separator = /
	  mailbox Drafts {
	    auto = subscribe
	    special_use = \\Drafts
	  }
	  mailbox Sent {
	    auto = subscribe
	    special_use = \\Sent
	  }
	  mailbox Trash {
	    auto = subscribe
	    special_use = \\Trash
	  }
	  mailbox Junk {
	    auto = subscribe
	    special_use = \\Junk
	  }
	}
	service imap-login {
	  inet_listener imap {
	    address = 127.0.0.1
	    port = $P_IMAP
	  }
	  inet_listener imaps {
	    port = 0
	  }
	}
	service lmtp {
	  inet_listener lmtp {
	    address = 127.0.0.1
	    port = $P_LMTP
	  }
	}
	service stats {
	  client_limit = 1000
	  unix_listener stats-writer {
	    mode = 0666
	  }
	}
	# Dovecot 2.3 says no HIGHESTMODSEQ on SELECT until something has asked for it once
	# in that mailbox; SOGo then takes the folder for unchanged for ever (Sync answers an
	# empty body, Ping never fires). The post-login script asks once for each new folder.
	service imap {
	  executable = imap imap-postlogin
	}
	service imap-postlogin {
	  executable = script-login $d/postlogin.sh
	  user = mail
	  unix_listener imap-postlogin {
	  }
	}
	service auth {
	  unix_listener auth-userdb {
	    mode = 0600
	    user = mail
	  }
	}
	CONF
  cat > "$d/postlogin.sh" <<-SH
	#!/bin/sh
	PATH=/usr/sbin:/usr/bin:/sbin:/bin; export PATH
	b=$STATE/mail/\$USER
	for f in "\$b" "\$b"/.[!.]*; do
	  [ -d "\$f/cur" ] && [ ! -e "\$f/lab-modseq" ] || continue
	  n=\$(printf %s "\${f##*/}" | sed 's/^\.//; s,\.,/,g; s/["\\\\]/\\\\&/g'); [ "\$f" = "\$b" ] && n=INBOX
	  printf 'a ENABLE CONDSTORE\\r\\nb SELECT "%s"\\r\\nc LOGOUT\\r\\n' "\$n" |
	    doveadm -c $d/dovecot.conf exec imap -u "\$USER" 2>/dev/null | grep -q '^b OK' && : > "\$f/lab-modseq"
	done
	exec "\$@"
	SH
  chmod 755 "$d/postlogin.sh"
  setsid dovecot -c "$d/dovecot.conf" >> "$STATE/log/dovecot.out" 2>&1 < /dev/null
  wait_port "$P_IMAP" dovecot; wait_pidfile "$d/run/master.pid"
  record dovecot "$(cat "$d/run/master.pid")"
}

part_smtp() {
  alive smtp && return 0
  need_free "$P_SMTP" SMTP
  # Its source comes by stdin: "nobody" may not be allowed to read where we lie.
  (exec setsid setpriv --reuid=nobody --regid=nogroup --clear-groups /usr/bin/python3 - "$P_SMTP" "$P_LMTP" "$DOMAIN" \
     < "$HERE/smtp_sink.py" >> "$STATE/log/smtp.log" 2>&1) &
  local pid=$!
  wait_port "$P_SMTP" smtp
  record smtp "$pid"
}

part_sogod() {
  alive sogod && return 0
  need_free "$P_SOGO" sogod
  local d=$STATE/sogod db="postgresql://sogo:$DB_PW@127.0.0.1:$P_PG/sogo"
  install -d -o sogo -g sogo -m 750 "$d" "$d/spool" "$d/home"
  rm -f "$d/sogod.pid"
  # Arguments take precedence over /etc/sogo/sogo.conf, so that file stays as shipped.
  # Its keys not named here still hold (OCSSessionsFolderURL etc. are all named).
  local admitted=
  [ -z "$ROOM" ] || admitted="ModulesConstraints={ActiveSync={l=\"$ROOM\";};};"
  local args=(
    -WOPort "127.0.0.1:$P_SOGO" -WOWorkersCount "$WORKERS" -WOWatchDogRequestTimeout 60
    -WOPidFile "$d/sogod.pid" -WOLogFile "$d/sogo.log" -WOListenQueueSize 100
    -SxVMemLimit 1024
    -SOGoProfileURL "$db/sogo_user_profile"
    -OCSFolderInfoURL "$db/sogo_folder_info"
    -OCSSessionsFolderURL "$db/sogo_sessions_folder"
    -OCSEMailAlarmsFolderURL "$db/sogo_alarms_folder"
    -OCSStoreURL "$db/sogo_store"
    -OCSAclURL "$db/sogo_acl"
    -OCSCacheFolderURL "$db/sogo_cache_folder"
    -OCSAdminURL "$db/sogo_admin"
    -SOGoUserSources "({type=sql;id=directory;viewURL=\"$db/lab_users\";canAuthenticate=YES;isAddressBook=YES;displayName=\"Lab directory\";userPasswordAlgorithm=plain;LoginFieldNames=(c_uid,mail);SearchFieldNames=(c_cn,mail,givenname,sn);$admitted})"
    -SOGoMailDomain "$DOMAIN"
    -SOGoIMAPServer "imap://127.0.0.1:$P_IMAP"
    -SOGoSMTPServer "smtp://127.0.0.1:$P_SMTP"
    -SOGoMailingMechanism smtp
    -SOGoMemcachedHost "127.0.0.1:$P_MEMC"
    -SOGoMailSpoolPath "$d/spool"
    -SOGoSentFolderName Sent -SOGoDraftsFolderName Drafts -SOGoTrashFolderName Trash
    -SOGoJunkFolderName Junk
    -SOGoTimeZone UTC -SOGoLanguage English
    -SOGoMaximumPingInterval "$PING_MAX" -SOGoMaximumSyncInterval "$SYNC_MAX"
    -SOGoInternalSyncInterval "$POLL"
    -SOGoEASDebugEnabled "$EASDEBUG"
    -SOGoVacationEnabled NO
  )
  (HOME="$d/home" setsid runuser -u sogo -- /usr/sbin/sogod "${args[@]}" >> "$STATE/log/sogod.out" 2>&1 < /dev/null)
  wait_pidfile "$d/sogod.pid"; wait_port "$P_SOGO" sogod
  record sogod "$(cat "$d/sogod.pid")"
}

part_tls() {
  local d=$STATE/tls
  if openssl x509 -in "$d/server.crt" -noout -checkend 86400 >/dev/null 2>&1 &&
     openssl x509 -in "$d/server.crt" -noout -checkhost "mail.$DOMAIN" 2>/dev/null | grep -q 'does match'; then return 0; fi
  rm -rf "$d"; mkdir -p "$d"
  openssl req -x509 -newkey rsa:2048 -nodes -sha256 -days 825 -subj "/CN=easrig lab CA" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
    -keyout "$d/ca.key" -out "$d/ca.crt" 2>/dev/null
  openssl req -newkey rsa:2048 -nodes -sha256 -subj "/CN=localhost" \
    -keyout "$d/server.key" -out "$d/server.csr" 2>/dev/null
  printf '%s\n' "subjectAltName=DNS:localhost,DNS:$DOMAIN,DNS:mail.$DOMAIN,DNS:autodiscover.$DOMAIN,IP:127.0.0.1" \
    "basicConstraints=CA:FALSE" "extendedKeyUsage=serverAuth" > "$d/ext"
  openssl x509 -req -in "$d/server.csr" -CA "$d/ca.crt" -CAkey "$d/ca.key" -CAcreateserial \
    -sha256 -days 825 -extfile "$d/ext" -out "$d/server.crt" 2>/dev/null
  chmod 600 "$d"/*.key
}

part_nginx() {
  alive nginx && return 0
  stop_one nginx-worker KILL # outlives a master that was killed, and keeps its ports
  need_free "$P_TLS" nginx; need_free "$P_HTTP" nginx; need_free "$P_TLS12" nginx
  local d=$STATE/nginx
  mkdir -p "$d/tmp"; rm -f "$d/nginx.pid"
  cat > "$d/location.conf" <<-CONF
	proxy_http_version 1.0;
	proxy_buffering off;
	proxy_read_timeout 3600s;
	proxy_send_timeout 3600s;
	proxy_set_header Host \$http_host;
	proxy_set_header X-Forwarded-For \$remote_addr;
	proxy_set_header x-webobjects-server-protocol HTTP/1.0;
	proxy_set_header x-webobjects-remote-host 127.0.0.1;
	proxy_set_header x-webobjects-server-name \$server_name;
	proxy_set_header x-webobjects-server-url \$scheme://\$http_host;
	proxy_set_header x-webobjects-server-port \$server_port;
	proxy_set_header x-webobjects-remote-user "";
	location = /Microsoft-Server-ActiveSync {
	  proxy_pass http://127.0.0.1:$P_SOGO/SOGo/Microsoft-Server-ActiveSync;
	}
	location ^~ /SOGo { proxy_pass http://127.0.0.1:$P_SOGO; }
	location / { return 404; }
	CONF
  cat > "$d/nginx.conf" <<-CONF
	user www-data;
	worker_processes 1;
	pid $d/nginx.pid;
	error_log $d/error.log;
	events { worker_connections 512; }
	http {
	  log_format eas '\$time_iso8601 \$server_port \$remote_user "\$request" pv="\$http_ms_asprotocolversion" '
	                 'ct="\$content_type" in=\$request_length \$status out=\$body_bytes_sent \$request_time';
	  access_log $d/access.log eas;
	  client_body_temp_path $d/tmp/body; proxy_temp_path $d/tmp/proxy;
	  fastcgi_temp_path $d/tmp/f; uwsgi_temp_path $d/tmp/u; scgi_temp_path $d/tmp/s;
	  client_max_body_size 64m;
	  ssl_certificate $STATE/tls/server.crt;
	  ssl_certificate_key $STATE/tls/server.key;
	  server {
	    listen 127.0.0.1:$P_TLS ssl;
	    listen 127.0.0.1:$P_HTTP;
	    server_name localhost;
	    ssl_protocols TLSv1.2 TLSv1.3;
	    include $d/location.conf;
	  }
	  # As servers were before 2018: for captures (captured.sh).
	  server {
	    listen 127.0.0.1:$P_TLS12 ssl;
	    server_name localhost;
	    ssl_protocols TLSv1.2;
	    ssl_ciphers HIGH:!aNULL:!MD5;
	    include $d/location.conf;
	  }
	}
	CONF
  nginx -e "$d/error.log" -p "$d" -c "$d/nginx.conf" < /dev/null
  wait_pidfile "$d/nginx.pid"; wait_port "$P_TLS" nginx
  record nginx "$(cat "$d/nginx.pid")"
  local worker; read -r worker _ < "/proc/$(cat "$d/nginx.pid")/task/$(cat "$d/nginx.pid")/children" || true
  if [ -n "${worker:-}" ]; then record nginx-worker "$worker"; fi
}

# ---------------------------------------------------------------- seed
# .seeded holds what the data was made from. No file, or another content (a seeding
# that was cut short, an older lab in the same folder, other users): make it anew.
fingerprint() { printf '%s\n' "${USERS[*]}" "$DOMAIN" | cat - "$HERE/seed.py" "$HERE/sogo.sh" | sha256sum | cut -d' ' -f1; }
seeded() { [ -f "$STATE/.seeded" ] && [ "$(cat "$STATE/.seeded")" = "$(fingerprint)" ]; }

wipe() { # needs postgres; leaves everything else that holds data stopped
  rm -f "$STATE/.seeded"
  stop_sogod KILL # its state goes anyway
  stop_one dovecot TERM
  stop_one memcached TERM
  rm -rf "$STATE/mail" "$STATE/sogod/spool"
  if [ -f "$STATE/sogod/sogo.log" ]; then mv -f "$STATE/sogod/sogo.log" "$STATE/sogod/sogo.log.old"; fi
  make_database
}

part_seed() {
  seeded && return 0
  /usr/bin/python3 "$HERE/seed.py" "$ACCOUNTS" "$P_IMAP" "$P_HTTP" || die "seeding failed, see $STATE/log"
  fingerprint > "$STATE/.seeded"
}

# ---------------------------------------------------------------- commands
write_accounts() {
  local u
  mkdir -p "$STATE"
  (umask 077; for u in "${USERS[@]}"; do
    printf '[[account]]\nuser = "%s"\naddress = "%s"\nsecret = "%s"\n\n' "$u" "$u@$DOMAIN" "$(secret_of "$u")"
  done > "$ACCOUNTS.new")
  # under sudo the suite runs as somebody else, who must be able to read it
  if [ -n "${SUDO_UID:-}" ]; then chown "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$ACCOUNTS.new"; fi
  mv -f "$ACCOUNTS.new" "$ACCOUNTS"
}

show_env() {
  local i u
  cat <<-TXT
	EAS_URL=$EAS_URL
	EAS_URL_PLAIN=http://127.0.0.1:$P_HTTP/Microsoft-Server-ActiveSync
	EAS_URL_TLS12=https://localhost:$P_TLS12/Microsoft-Server-ActiveSync
	EAS_URL_SOGOD=http://127.0.0.1:$P_SOGO/SOGo/Microsoft-Server-ActiveSync
	EAS_CA=$STATE/tls/ca.crt
	EAS_SERVER_KEY=$STATE/tls/server.key
	EAS_ACCOUNTS=$ACCOUNTS
	TXT
  for i in "${!USERS[@]}"; do
    u=${USERS[i]}
    printf 'EAS_USER%d=%s\nEAS_PASS%d=%s\nEAS_MAIL%d=%s\n' \
      $((i+1)) "$u" $((i+1)) "$(secret_of "$u")" $((i+1)) "$u@$DOMAIN"
  done
  cat <<-TXT
	IMAP_PORT=$P_IMAP
	SMTP_PORT=$P_SMTP
	SOGO_LOG=$STATE/sogod/sogo.log
	TXT
}

do_status() {
  local n down=0
  for n in "${DAEMONS[@]}"; do
    if alive "$n"; then echo "$n up $(cut -d' ' -f1 "$RUN/$n.pid")"; else echo "$n down"; down=1; fi
  done
  return $down
}

do_check() { /usr/bin/python3 "$HERE/check.py" "$ACCOUNTS" "$P_IMAP" "$EAS_URL" "$STATE/tls/ca.crt"; }

do_start() {
  local t0 t1 t2
  mkdir -p "$STATE" "$RUN" "$STATE/log"; chmod 755 "$STATE"
  t0=$(date +%s%3N)
  do_install; t1=$(date +%s%3N)
  write_accounts
  part_postgres
  seeded || wipe
  part_memcached; part_dovecot; part_smtp; part_sogod; part_tls; part_nginx
  part_seed
  do_check >&2 || die "not every account works"
  t2=$(date +%s%3N)
  say "install $((t1-t0)) ms, start and seed $((t2-t1)) ms"
}

do_reset() { rm -f "$STATE/.seeded"; do_start; }

# One at a time per folder. The lock is closed in the child (-o), or the daemons would keep it.
case ${1:-start} in
  start|stop|reset|install)
    [ "$(id -u)" = 0 ] || die "run as root"
    if [ "${SOGO_LAB_LOCKED:-}" != "$STATE" ]; then
      mkdir -p "$STATE"
      SOGO_LAB_LOCKED=$STATE exec flock -o -w 300 -E 75 "$STATE/.lock" "$HERE/sogo.sh" "$@"
    fi ;;
esac

case ${1:-start} in
  start) do_start; show_env ;;
  stop) do_stop ;;
  reset) do_reset ;;
  status) do_status ;;
  env) show_env ;;
  accounts) write_accounts; echo "$ACCOUNTS" ;;
  check) do_check ;;
  install) do_install ;;
  *) say "usage: sogo.sh [start|stop|reset|status|env|accounts|check|install]"; exit 2 ;;
esac
