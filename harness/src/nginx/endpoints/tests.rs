use super::*;
use crate::nginx::parse;

fn found(http: &str) -> Endpoints {
    let text = format!("http {{ {http} }}");
    let parsed = parse("", &text, &mut |_| Ok(Vec::new()));
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    endpoints(&parsed.directives)
}

fn urls(http: &str) -> Vec<String> {
    found(http)
        .endpoints
        .iter()
        .map(HttpEndpoint::url)
        .collect()
}

/// In the manner of what `services.nginx.virtualHosts` becomes.
const NIXOS: &str = "
    include_nothing x;
    upstream backend { server 127.0.0.1:8081; }
    map $http_upgrade $connection_upgrade { default upgrade; '' close; }
    server {
        listen 0.0.0.0:80 ; listen [::0]:80 ;
        server_name alpha.example www.alpha.example ;
        location ^~ /.well-known/acme-challenge/ { root /var/lib/acme/acme-challenge; auth_basic off; }
        location / { return 301 https://$host$request_uri; }
    }
    server {
        listen 0.0.0.0:443 ssl ; listen [::0]:443 ssl ; listen 0.0.0.0:443 quic ;
        server_name alpha.example ;
        http2 on;
        location / { proxy_pass http://backend; include_nothing y; }
        location ~ \\.php$ { fastcgi_pass unix:/run/phpfpm/a.sock; }
    }
    server { listen 127.0.0.1:80; server_name localhost; location /nginx_status { stub_status on; } }";

#[test]
fn the_servers_of_a_nixos_configuration_are_listed() {
    assert_eq!(
        urls(NIXOS),
        [
            "http://alpha.example/",
            "http://www.alpha.example/",
            "https://alpha.example/",
            "http://localhost/"
        ]
    );
    let found = found(NIXOS);
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    let upstream = found.endpoints[2].upstream.as_deref();
    assert_eq!(upstream, Some("http://127.0.0.1:8081"));
    assert!(found.endpoints.iter().all(|e| e.path == "/"));
}

#[test]
fn listeners_of_one_port_count_once_and_ipv4_first() {
    let found = found("server { listen [::]:80; listen 10.0.0.1:80; server_name a; }");
    assert_eq!(found.endpoints.len(), 1);
    let address = found.endpoints[0].listener.address.as_deref();
    assert_eq!(address, Some("10.0.0.1"));
}

#[test]
fn a_server_without_a_name_is_asked_where_it_is_the_default() {
    let other = "server { listen 80; server_name a; }";
    let unnamed = "server { listen 80 default_server; server_name _ ~^x *.b $h \"\"; }";
    assert_eq!(
        urls(&format!("{other} {unnamed}")),
        ["http://a/", "http://localhost/"]
    );
    let hidden = found(&format!("{other} server {{ listen 80; }}"));
    assert_eq!(hidden.endpoints.len(), 1);
    assert_eq!(hidden.problems.len(), 1);
}

#[test]
fn a_server_without_listen_is_on_port_80() {
    assert_eq!(
        urls("server { server_name .example.org; }"),
        ["http://example.org/"]
    );
}

#[test]
fn what_refuses_tls_is_not_asked() {
    assert!(urls("server { listen 443 ssl; ssl_reject_handshake on; }").is_empty());
    let old = urls("server { listen 8443; ssl on; server_name a; }");
    assert_eq!(old, ["https://a:8443/"]);
}

#[test]
fn of_two_servers_with_one_name_the_first_is_asked() {
    let found = found(
        "server { listen 80; server_name a; location / { proxy_pass http://first; } } \
         server { listen 80; server_name a; location / { proxy_pass http://second; } }",
    );
    assert_eq!(found.endpoints.len(), 1);
    assert_eq!(found.endpoints[0].upstream.as_deref(), Some("http://first"));
}

#[test]
fn too_many_endpoints_are_cut_and_the_report_says_so() {
    let servers: String = (0..300)
        .map(|n| format!("server {{ listen 80; server_name n{n}; }}"))
        .collect();
    let found = found(&servers);
    assert_eq!(found.endpoints.len(), MAX_ENDPOINTS);
    assert!(found.problems[0].1.starts_with("100 endpoints"));
}

#[test]
fn listeners_and_locations_do_not_multiply_without_end() {
    let listens: String = (1..5_000).map(|port| format!("listen {port};")).collect();
    let places: String = (0..5_000)
        .map(|n| format!("location /{n} {{ proxy_pass http://a; }}"))
        .collect();
    let found = found(&format!(
        "server {{ server_name a b c; {listens} {places} }}"
    ));
    assert_eq!(found.endpoints.len(), MAX_ENDPOINTS);
    let reason = &found.problems[0].1;
    assert!(reason.starts_with("at least 19800 endpoints"), "{reason}");
}
