package nginx

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"text/template"
)

// Settings are what an operator chose. They stand in the first lines of the file that is made of them, so that update needs no
// others.
type Settings struct {
	Domain   string `json:"domain"` // the endpoint's host name; buckets are its sub-domains
	Port     int    `json:"port"`
	SSL      bool   `json:"ssl,omitempty"`
	Cert     string `json:"cert,omitempty"` // path of the certificate chain, PEM
	Key      string `json:"key,omitempty"`  // path of its key, PEM
	FastCGI  bool   `json:"fastcgi,omitempty"`
	Websites string `json:"websites,omitempty"` // domain whose sub-domains are web sites of buckets; "": none
}

// maxDomain is the length of a host name with room for the longest bucket name as a sub-domain (RFC 1035, section 2.3.4).
const maxDomain = 253 - 64

// validate refuses what would not be one configuration of one server. The error names the flag.
func (s *Settings) validate() error {
	if err := checkDomain("-D", s.Domain); err != nil {
		return err
	}
	if s.Websites != "" {
		if err := checkDomain("--website-domain", s.Websites); err != nil {
			return err
		}
	}
	if s.Port < 1 || s.Port > 65535 {
		return fmt.Errorf("-p: %d is not a port", s.Port)
	}
	if !s.SSL {
		if s.Cert != "" || s.Key != "" {
			return errors.New("--ssl: missing beside --ssl-cert and --ssl-key")
		}
		return nil
	}
	for flag, path := range map[string]string{"--ssl-cert": s.Cert, "--ssl-key": s.Key} {
		if path == "" {
			return fmt.Errorf("%s: missing beside --ssl", flag)
		}
		if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "\"\\$\n\r;{}") {
			return fmt.Errorf("%s: %q is not an absolute path that a configuration of nginx can hold", flag, path)
		}
	}
	return nil
}

// checkDomain holds a host name against RFC 1123, section 2.1.
func checkDomain(flag, domain string) error {
	if domain == "" {
		return fmt.Errorf("%s: missing", flag)
	}
	bad := fmt.Errorf("%s: %q is not a host name", flag, domain)
	if len(domain) > maxDomain {
		return bad
	}
	if _, err := netip.ParseAddr(domain); err == nil {
		return bad // buckets cannot be sub-domains of an address
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return bad
		}
		for _, c := range label {
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
				return bad
			}
		}
	}
	return nil
}

// checkGateways refuses a list that nginx could not use.
func checkGateways(list []string) error {
	if len(list) == 0 {
		return errors.New("there is no gateway: add one, or name it with --gateway HOST:PORT")
	}
	if len(list) > maxGateways {
		return fmt.Errorf("%d gateways are more than %d", len(list), maxGateways)
	}
	for _, g := range list {
		at, err := netip.ParseAddrPort(g)
		if err != nil || at.Port() == 0 {
			return fmt.Errorf("--gateway: %q is not an address with a port", g)
		}
		if at.Addr().IsUnspecified() {
			return fmt.Errorf("--gateway: %q can be listened on, but not connected to", g)
		}
	}
	return nil
}

// maxGateways bounds the upstream.
const maxGateways = 256

const (
	firstLine    = "# Made by ostor-configure-nginx; changes are lost at its next run."
	settingsMark = "# settings: "
)

// file returns the configuration for the settings and gateways.
func (s *Settings) file(gateways []string) ([]byte, error) {
	own, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n%s%s\n", firstLine, settingsMark, own)
	err = page.Execute(&b, struct {
		*Settings
		Gateways []string
		Idle     int
	}{s, gateways, idlePerGateway * len(gateways)})
	return b.Bytes(), err
}

// idlePerGateway is how many idle connections a worker of nginx keeps to each gateway.
const idlePerGateway = 32

// parse reads the settings of a file that was made before.
func parse(b []byte) (*Settings, error) {
	first, rest, _ := strings.Cut(string(b), "\n")
	line, _, _ := strings.Cut(rest, "\n")
	text, ok := strings.CutPrefix(line, settingsMark)
	if first != firstLine || !ok {
		return nil, errors.New("was not made by this command")
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	s := new(Settings)
	if err := d.Decode(s); err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	return s, s.validate()
}

// page is the configuration. What S3 needs of a proxy: every byte of the request's target and host unchanged, because they are
// signed; bodies of any size that pass through as they come; answers that are not touched; and connections to the gateways that are
// kept. Only what was not begun to be sent is tried at another gateway.
var page = template.Must(template.New("nginx").Parse(`
upstream holdfast_s3 {
{{- range .Gateways}}
	server {{.}} max_fails=1 fail_timeout=2s;
{{- end}}
	keepalive {{.Idle}};
}

server {
	listen {{.Port}}{{if .SSL}} ssl{{end}};
	listen [::]:{{.Port}}{{if .SSL}} ssl{{end}};
	server_name {{.Domain}} *.{{.Domain}}{{if .Websites}} {{.Websites}} *.{{.Websites}}{{end}};
{{- if .SSL}}
	ssl_certificate "{{.Cert}}";
	ssl_certificate_key "{{.Key}}";
	ssl_protocols TLSv1.2 TLSv1.3;
	ssl_session_cache shared:holdfast_s3:10m;
{{- end}}

	# Keys are bytes, and header names are the user's.
	merge_slashes off;
	ignore_invalid_headers off;
	underscores_in_headers on;
	large_client_header_buffers 8 64k;

	# Bodies stream, whatever their size. A client may be slow, but may not stand still.
	client_max_body_size 0;
	client_body_timeout 60s;
	send_timeout 60s;
	keepalive_timeout 120s;
	keepalive_requests 100000;
	tcp_nodelay on;
	gzip off;

	location / {
{{- if .FastCGI}}
		fastcgi_pass holdfast_s3;
		fastcgi_keep_conn on;
		fastcgi_request_buffering off;
		fastcgi_buffering off;
		fastcgi_connect_timeout 2s;
		fastcgi_read_timeout 300s;
		fastcgi_send_timeout 60s;
		fastcgi_next_upstream error timeout;
		fastcgi_next_upstream_tries 3;
		fastcgi_pass_header Date;
		fastcgi_pass_header Server;
		fastcgi_param HOLDFAST_REQUEST_URI $request_uri;
		fastcgi_param REQUEST_METHOD $request_method;
		fastcgi_param SERVER_PROTOCOL $server_protocol;
		fastcgi_param CONTENT_LENGTH $content_length;
		fastcgi_param CONTENT_TYPE $content_type;
		fastcgi_param HTTP_HOST $http_host;
		fastcgi_param HTTP_X_FORWARDED_FOR $remote_addr;
		fastcgi_param HTTP_X_FORWARDED_PROTO $scheme;
{{- else}}
		proxy_pass http://holdfast_s3;
		proxy_http_version 1.1;
		proxy_request_buffering off;
		proxy_buffering off;
		proxy_max_temp_file_size 0;
		proxy_redirect off;
		proxy_connect_timeout 2s;
		proxy_read_timeout 300s;
		proxy_send_timeout 60s;
		proxy_next_upstream error timeout;
		proxy_next_upstream_tries 3;
		proxy_pass_header Date;
		proxy_pass_header Server;
		proxy_set_header Host $http_host;
		proxy_set_header Connection "";
		proxy_set_header X-Forwarded-For $remote_addr;
		proxy_set_header X-Forwarded-Proto $scheme;
{{- end}}
	}
}
`))
