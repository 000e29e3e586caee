# The services of a system: their parts (one program path for each backend, nginx's configuration) and their units.
{ lib, platforms, system, parts }:
let
  services = system.services or [ ];
  virtualHosts = system.virtual_hosts or [ ];
  named = name: builtins.head (builtins.filter (service: service.name == name) services);
  archOf = service: service.arch or system.userland;

  # The page says for whom it is: a system with another virtual host in front of a service has another page.
  page = service:
    let served = builtins.filter (host: host.service == service.name) virtualHosts;
    in lib.writeText "index.html" "${service.name} serves ${lib.words (map (host: host.name) served)}\n";

  part = service: "service:${service.name}";

  backend = service: lib.run "${service.name}-${archOf service}" {
    program = service.name;
    httpd = platforms.${archOf service}.httpd;
    page = page service;
  } ./build/backend.sh;

  # Asked to stop, mini_httpd exits 1.
  backendUnit = service: {
    name = "${service.name}.service";
    value = ''
      [Unit]
      Description=Backend ${service.name}
      After=network.target

      [Service]
      Environment="PATH=${parts.userland}/bin"
      ExecStart=${parts.${part service}}/bin/${service.name} -D -h 127.0.0.1 -p ${toString service.port} -d ${parts.${part service}}/share/www
      Restart=on-failure
      RestartSec=2
      SuccessExitStatus=1
      Type=simple
      User=backend
    '';
  };

  server = host: ''
    server {
      listen 0.0.0.0:80 ;
      server_name ${host.name} ;
      location / {
        proxy_pass http://127.0.0.1:${toString (named host.service).port};
      }
    }
  '';

  nginxConfig = lib.writeText "nginx.conf" ''
    pid /run/nginx/nginx.pid;
    error_log stderr;
    daemon off;
    worker_processes 1;
    events {
    }
    http {
      include ${parts.nginx}/conf/mime.types;
      default_type application/octet-stream;
      access_log /var/log/nginx/access.log;
      client_body_temp_path /var/cache/nginx/client_body;
      proxy_temp_path /var/cache/nginx/proxy;
      fastcgi_temp_path /var/cache/nginx/fastcgi;
      uwsgi_temp_path /var/cache/nginx/uwsgi;
      scgi_temp_path /var/cache/nginx/scgi;
      proxy_connect_timeout 10s;
      server_tokens off;
    ${lib.lines (map server virtualHosts)}
    }
  '';

  nginxUnit = {
    name = "nginx.service";
    value = ''
      [Unit]
      Description=Nginx Web Server
      After=network.target

      [Service]
      Environment="PATH=${parts.userland}/bin"
      ExecStartPre=${parts.nginx}/bin/nginx -c ${parts."nginx.conf"} -t
      ExecStart=${parts.nginx}/bin/nginx -c ${parts."nginx.conf"}
      ExecReload=${parts.nginx}/bin/nginx -c ${parts."nginx.conf"} -t
      ExecReload=${parts.userland}/bin/kill -HUP $MAINPID
      AmbientCapabilities=CAP_NET_BIND_SERVICE
      CapabilityBoundingSet=CAP_NET_BIND_SERVICE
      CacheDirectory=nginx
      CacheDirectoryMode=0750
      LogsDirectory=nginx
      LogsDirectoryMode=0750
      RuntimeDirectory=nginx
      RuntimeDirectoryMode=0750
      Restart=always
      RestartSec=10s
      User=nginx
      Group=nginx
    '';
  };

  # Who reaches the guest's network is on the host.
  sshUnit = {
    name = "sshd.service";
    value = ''
      [Unit]
      Description=SSH Daemon
      After=network.target

      [Service]
      ExecStart=${platforms.${system.userland}.dropbear}/bin/dropbear -F -E -R -B
      ConfigurationDirectory=dropbear
      Restart=always
      Type=simple
      X-StopIfChanged=false
    '';
  };
in
{
  parts = { "nginx.conf" = nginxConfig; }
    // builtins.listToAttrs (map (service: { name = part service; value = backend service; }) services);

  units = builtins.listToAttrs (map backendUnit services ++ (if virtualHosts == [ ] then [ ] else [ nginxUnit ])
    ++ (if system.ssh or false then [ sshUnit ] else [ ]));
}
