/** What a browser shows that was pointed at the proxy instead of through it. */
export const FRONT_PAGE = `<!DOCTYPE html>
<html lang="en">
<title>sotto proxy</title>
<style>body{font:16px/1.5 sans-serif;max-width:42em;margin:3em auto;padding:0 1em}</style>
<h1>This is a proxy</h1>
<p>It speaks SOCKS5, SOCKS4a and HTTP on this one port, and carries what goes through it over an onion
network. It is no web site: a program has to be told to use it.</p>
<pre>
curl --socks5-hostname HOST:PORT https://example.org/
curl --proxy http://HOST:PORT https://example.org/
chromium --proxy-server=socks5://HOST:PORT
</pre>
<p>HOST:PORT is what the address line of your browser shows now. Names are resolved at the other end.
Streams with different user names and passwords never share a circuit.</p>
</html>
`;
