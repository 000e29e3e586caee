# One backend: its own copy of the HTTP server, which still finds its libraries in the server's path, and its page.
mkdir -p "$out/bin" "$out/share/www"
cp "$httpd/bin/mini_httpd" "$out/bin/$program"
cp "$page" "$out/share/www/index.html"
