#!/bin/bash
# horde.sh - a second real Exchange ActiveSync server from Debian 12 packages: Horde with its ActiveSync library (PHP).
#
# It stands beside the SOGo lab and serves the same mailboxes (Dovecot and the SMTP sink are those of sogo.sh), with its own
# calendars, contacts, tasks and notes in SQLite. Everything lies under $STATE_DIR/horde, a copy of the packaged application
# included: nothing of the distribution's configuration is used or changed. Run as root; every daemon binds 127.0.0.1.
#
#   horde.sh [start]   SOGo's lab and Horde, whatever of them is down
#   horde.sh stop      both
#   horde.sh reset     SOGo's seed, and an empty Horde
#   horde.sh env       endpoint as shell assignment
#
# Settings: STATE_DIR and LAB_PORT_BASE as in sogo.sh; Horde takes the ports 880 and 881 beyond the base.
set -euo pipefail
umask 022
export LC_ALL=C.UTF-8 TZ=UTC PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin
STATE=${STATE_DIR:-/tmp/sogo-lab}
BASE=${LAB_PORT_BASE:-20000}
P_HTTP=$((BASE+880)) P_PHP=$((BASE+881)) P_IMAP=$((BASE+12)) P_SMTP=$((BASE+14))
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
D=$STATE/horde
PKGS=(php-horde-webmail php-horde-activesync php-fpm php-sqlite3 php-mbstring php-intl php-xml php-curl nginx-light)
APPS=(gollem imp ingo kronolith mnemo nag turba trean)
say() { printf '%s\n' "$*" >&2; }
die() { say "horde lab: $*"; exit 1; }

install_packages() {
  local miss=() p
  for p in "${PKGS[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null || true)" = installed ] || miss+=("$p")
  done
  [ ${#miss[@]} -gt 0 ] || return 0
  say "packages: installing ${miss[*]}"
  # Keep the packages from starting their own services.
  local shim=$STATE/noinit n
  mkdir -p "$shim"
  for n in invoke-rc.d deb-systemd-invoke; do printf '#!/bin/sh\nexit 0\n' > "$shim/$n"; chmod 755 "$shim/$n"; done
  PATH=$shim:$PATH DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${miss[@]}" \
    > "$D/log/apt.log" 2>&1 < /dev/null || { tail -5 "$D/log/apt.log" >&2; die "apt-get failed, see $D/log/apt.log"; }
}

make() { # the application, its settings and an empty database, once
  [ ! -f "$D/.made" ] || return 0
  rm -rf "$D/www" "$D/data"; mkdir -p "$D/www" "$D/data/vfs" "$D/data/tmp" "$D/data/sessions"
  # Some links of the package lead nowhere (maps, themes); nothing of them matters here.
  cp -rL /usr/share/horde/. "$D/www/" 2> /dev/null || [ -f "$D/www/rpc.php" ] || die "/usr/share/horde cannot be copied"
  local app
  sed -e "s|@DATA@|$D/data|g; s|@LOG@|$D/log|g; s|@HTTP@|$P_HTTP|g; s|@SMTP@|$P_SMTP|g" "$HERE/horde.conf.php" > "$D/www/config/conf.php"
  cat > "$D/www/imp/config/backends.local.php" <<-PHP
	<?php
	\$servers['imap']['disabled'] = \$servers['advanced']['disabled'] = true;
	\$servers['lab'] = array('disabled' => false, 'name' => 'lab', 'hostspec' => '127.0.0.1', 'port' => $P_IMAP, 'hordeauth' => false,
	  'protocol' => 'imap', 'secure' => false, 'maildomain' => 'lab.test', 'acl' => false, 'cache' => false,
	  'smtp' => array('auth' => false, 'host' => '127.0.0.1', 'port' => $P_SMTP));
	PHP
  # Deleted mail goes to the Trash that Dovecot names, so that phones are given a Deleted Items folder.
  printf '<?php\n$_prefs["use_trash"]["value"] = 1;\n' > "$D/www/imp/config/prefs.local.php"
  for app in "${APPS[@]}"; do printf '<?php\n' > "$D/www/$app/config/conf.php"; done
  # Under PHP 8 Debian 12's Net_DNS2 dies of an empty cache file, and every request with it: PHP finds our copy first.
  mkdir -p "$D/php/Net/DNS2/Cache"
  sed 's/fread(\$fp, filesize(\$this->cache_file))/fread($fp, max(1, filesize($this->cache_file)))/' \
    /usr/share/php/Net/DNS2/Cache/File.php > "$D/php/Net/DNS2/Cache/File.php"
  cat > "$D/settings.php" <<-PHP
	<?php
	require '$D/www/lib/Application.php';
	Horde_Registry::appInit('horde', array('cli' => true, 'authentication' => 'none', 'nologintasks' => true));
	foreach (explode(' ', '${APPS[*]}') as \$app) {
	  \$made = new Horde_Config(\$app);
	  file_put_contents("$D/www/\$app/config/conf.php", \$made->generatePHPConfig(Horde_Variables::getDefaultVariables()));
	}
	PHP
  (cd "$D" && php -d error_reporting=1 settings.php) > "$D/log/settings.log" 2>&1 || { tail -5 "$D/log/settings.log" >&2; die "the settings of the applications"; }
  chown -R www-data "$D/data" "$D/log"
  mkdir -p "$D/www/bin"; cp /usr/bin/horde-db-migrate "$D/www/bin/"
  # Applications that build on each other come in no good order: the second time does the rest.
  local time
  for time in 1 2 3; do
    runuser -u www-data -- php -d error_reporting=1 "$D/www/bin/horde-db-migrate" > "$D/data/migrate.log" 2>&1 || die "the database, see $D/data/migrate.log"
    grep -q 'migrated (' "$D/data/migrate.log" || break
  done
  touch "$D/.made"
}

running() { [ -f "$D/$1.pid" ] && kill -0 "$(cat "$D/$1.pid")" 2>/dev/null; }
serve() {
  local fpm
  fpm=$(ls /usr/sbin/php-fpm* | sort -V | tail -1)
  cat > "$D/fpm.conf" <<-CONF
	[global]
	pid = $D/fpm.pid
	error_log = $D/log/fpm.log
	[www]
	user = www-data
	group = www-data
	listen = 127.0.0.1:$P_PHP
	pm = static
	pm.max_children = 16
	request_terminate_timeout = 3600
	php_admin_value[include_path] = $D/php:.:/usr/share/php
	php_admin_value[error_reporting] = 1
	php_admin_value[display_errors] = 0
	php_admin_value[log_errors] = 1
	php_admin_value[error_log] = $D/log/php.log
	php_admin_value[max_execution_time] = 0
	php_admin_value[output_buffering] = 0
	php_admin_value[session.save_path] = $D/data/sessions
	CONF
  cat > "$D/nginx.conf" <<-CONF
	pid $D/nginx.pid;
	error_log $D/log/nginx.log;
	worker_processes 1;
	events { worker_connections 256; }
	http {
	  access_log $D/log/access.log;
	  client_body_temp_path $D/nginx-body; fastcgi_temp_path $D/nginx-fcgi; proxy_temp_path $D/nginx-proxy;
	  uwsgi_temp_path $D/nginx-uwsgi; scgi_temp_path $D/nginx-scgi;
	  server {
	    listen 127.0.0.1:$P_HTTP;
	    root $D/www;
	    client_max_body_size 50m;
	    location ~* ^/(Microsoft-Server-ActiveSync|autodiscover/autodiscover.xml) {
	      include /etc/nginx/fastcgi_params;
	      fastcgi_param SCRIPT_FILENAME $D/www/rpc.php;
	      fastcgi_param SCRIPT_NAME /rpc.php;
	      fastcgi_pass 127.0.0.1:$P_PHP;
	      fastcgi_read_timeout 3600s;
	      fastcgi_buffering off;
	    }
	    location / { return 404; }
	  }
	}
	CONF
  running fpm || "$fpm" -y "$D/fpm.conf" < /dev/null
  running nginx || nginx -c "$D/nginx.conf" < /dev/null
}

start() {
  STATE_DIR=$STATE LAB_PORT_BASE=$BASE "$HERE/sogo.sh" start > /dev/null
  mkdir -p "$D/log"
  install_packages
  make
  serve
  local i
  for ((i = 0; i < 50; i++)); do
    curl -sf -o /dev/null -X OPTIONS -u alice:alice-Secret1 "http://127.0.0.1:$P_HTTP/Microsoft-Server-ActiveSync" && return 0
    sleep 0.2
  done
  die "Horde does not answer OPTIONS, see $D/log"
}

stop() {
  local name
  for name in nginx fpm; do
    if running "$name"; then kill "$(cat "$D/$name.pid")"; fi
    rm -f "$D/$name.pid"
  done
  "$HERE/sogo.sh" stop
}

case ${1:-start} in
  start) start; "$0" env ;;
  stop) stop ;;
  reset) stop > /dev/null 2>&1; rm -f "$D/.made"; "$HERE/sogo.sh" start > /dev/null; "$HERE/sogo.sh" reset > /dev/null; start ;;
  env) echo "EAS_URL=http://127.0.0.1:$P_HTTP/Microsoft-Server-ActiveSync" ;;
  *) sed -n '2,15s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
