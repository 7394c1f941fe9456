package e2e

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const nginxDomain = "s3.test"

// nginxFront is a running nginx in front of a server, configured by the binary under test.
type nginxFront struct {
	c       *client
	address string
	conf    string // nginx's own
	site    string // what configure-nginx owns
	scheme  string
	cert    []byte
}

// newNginx configures and starts nginx for the server, and beside it for a gateway that is not there.
func newNginx(t *testing.T, s *server, args ...string) *nginxFront {
	t.Helper()
	c := newClient(t, s)
	n := &nginxFront{c: c, address: freeAddress(t), conf: filepath.Join(c.dir, "nginx.conf"), site: filepath.Join(c.dir, "s3.conf"), scheme: "http"}
	_, port, err := net.SplitHostPort(n.address)
	if err != nil {
		t.Fatal(err)
	}
	if len(args) > 0 && args[0] == "--ssl" {
		n.scheme = "https"
		args = append(args, n.certificate()...)
	}
	temp := ""
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temp += fmt.Sprintf("%s_temp_path %s/%s;\n", kind, c.dir, kind)
	}
	main := fmt.Sprintf("daemon off; user root; worker_processes 2; pid %s/pid; error_log stderr;\nevents { worker_connections 256; }\nhttp {\naccess_log off;\n%sinclude %s;\n}\n",
		c.dir, temp, n.site)
	if err := os.WriteFile(n.conf, []byte(main), 0o600); err != nil {
		t.Fatal(err)
	}
	create := []string{"configure-nginx", "create", "-D", nginxDomain, "-p", port, "--out", n.site, "--no-reload", "--gateway", "127.0.0.1:1", "--gateway", s.s3}
	if out, err := c.tryBinary(append(create, args...)...); err != nil {
		t.Fatalf("create: %v\n%s", err, out)
	}
	n.start(t)
	return n
}

func (n *nginxFront) start(t *testing.T) {
	t.Helper()
	log := &logBuffer{}
	cmd := exec.Command("/usr/sbin/nginx", "-c", n.conf)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		t.Fatalf("run tests/setup.sh: %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("nginx wrote:\n%s", log)
		}
	})
	eventually(t, readyWithin, "nginx", func() error {
		conn, err := net.Dial("tcp", n.address)
		if err == nil {
			conn.Close()
		}
		return err
	})
}

// certificate makes a certificate of the endpoint and returns the flags that name it.
func (n *nginxFront) certificate() []string {
	n.c.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		n.c.t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{nginxDomain, "*." + nginxDomain},
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		n.c.t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		n.c.t.Fatal(err)
	}
	n.cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	certFile, keyFile := filepath.Join(n.c.dir, "file.cert"), filepath.Join(n.c.dir, "file.key")
	if err := os.WriteFile(certFile, n.cert, 0o600); err != nil {
		n.c.t.Fatal(err)
	}
	if err := os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600); err != nil {
		n.c.t.Fatal(err)
	}
	return []string{"--ssl-cert", certFile, "--ssl-key", keyFile}
}

// http returns a client for which every host name is nginx.
func (n *nginxFront) http() *http.Client {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(n.cert)
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "tcp", n.address)
		},
	}}
}

// sdk returns a client that names buckets in host names.
func (n *nginxFront) sdk() *s3.Client {
	_, port, _ := net.SplitHostPort(n.address) // was split before
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(n.scheme + "://" + nginxDomain + ":" + port), Region: "us-east-1", HTTPClient: n.http(), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(n.c.s.access, n.c.s.secret, ""),
	})
}

// TestNginx puts nginx in front of a gateway in each way there is, and lets through what proxies break: awkward keys, buckets in
// host names, bodies signed by chunks, large and slow ones, and a reload in the middle.
func TestNginx(t *testing.T) {
	for name, args := range map[string][]string{"http": nil, "https": {"--ssl"}, "fastcgi": {"--fastcgi"}} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, "--domain", nginxDomain)
			n := newNginx(t, s, args...)
			ctx, bucket := context.Background(), aws.String("front")
			c := n.sdk()
			if _, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket}); err != nil {
				t.Fatal(err)
			}
			n.roundTrips(t, c, bucket)
			n.reloadUnderUpload(t, c, bucket)
			s.stop(t)
			s.fsck(t)
		})
	}
}

func (n *nginxFront) roundTrips(t *testing.T, c *s3.Client, bucket *string) {
	ctx := context.Background()
	objects := map[string][]byte{"large": body(20*mib+7, 1), "empty": {}}
	for i, key := range awkward {
		if key == ".." { // nginx refuses what leads out of its root, before any configuration
			continue
		}
		objects[key] = body(100*kib+i, uint64(i))
	}
	for key, data := range objects {
		_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String(key), Body: bytes.NewReader(data),
			ChecksumAlgorithm: types.ChecksumAlgorithmCrc32c, Metadata: map[string]string{"dashed-name": "v 1"}})
		if err != nil {
			t.Errorf("put %q: %v", key, err)
			continue
		}
		got, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String(key)})
		if err != nil {
			t.Fatalf("get %q: %v", key, err)
		}
		read, err := io.ReadAll(got.Body)
		if err != nil || !bytes.Equal(read, data) || got.Metadata["dashed-name"] != "v 1" {
			t.Errorf("%q: read %d of %d bytes, %v, metadata %v", key, len(read), len(data), err, got.Metadata)
		}
	}
	part, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("large"), Range: aws.String("bytes=1048576-1048579")})
	if err != nil {
		t.Fatal(err)
	}
	if read, err := io.ReadAll(part.Body); err != nil || !bytes.Equal(read, objects["large"][1048576:1048580]) {
		t.Errorf("range: %x, %v", read, err)
	}
	list, err := c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket})
	if err != nil || len(list.Contents) != len(objects) {
		t.Errorf("list: %d keys, %v; want %d", len(list.Contents), err, len(objects))
	}
	if _, err := c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: aws.String("absent")}); errorCode(err) != "NotFound" {
		t.Errorf("head of nothing: %v", err)
	}
	_, err = c.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("bad"), Body: strings.NewReader("x"), IfMatch: aws.String(`"0"`)})
	if code := errorCode(err); code != "NoSuchKey" {
		t.Errorf("a refused put: %s, want NoSuchKey", code)
	}
}

// reloadUnderUpload has nginx load its configuration anew while half of a body is there.
func (n *nginxFront) reloadUnderUpload(t *testing.T, c *s3.Client, bucket *string) {
	ctx := context.Background()
	data := body(2*mib, 9)
	url, err := s3.NewPresignClient(c).PresignPutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("slow")})
	if err != nil {
		t.Fatal(err)
	}
	slow, feed := io.Pipe()
	req, err := http.NewRequest(http.MethodPut, url.URL, slow)
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = int64(len(data))
	answer := make(chan error, 1)
	go func() {
		resp, err := n.http().Do(req)
		if err == nil {
			err = resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				err = fmt.Errorf("status %s", resp.Status)
			}
		}
		answer <- err
	}()
	if _, err := feed.Write(data[:mib]); err != nil {
		t.Fatal(err)
	}
	out, err := n.c.tryBinary("configure-nginx", "update", "--out", n.site, "--nginx", "/usr/sbin/nginx", "--nginx-conf", n.conf, "--gateway", n.c.s.s3)
	if err != nil {
		t.Fatalf("update: %v\n%s", err, out)
	}
	if _, err := c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: aws.String("large")}); err != nil {
		t.Errorf("a request during the reload: %v", err)
	}
	if _, err := feed.Write(data[mib:]); err != nil {
		t.Fatal(err)
	}
	if err := <-answer; err != nil {
		t.Errorf("the upload under the reload: %v", err)
	}
	got, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("slow")})
	if err != nil {
		t.Fatal(err)
	}
	if read, err := io.ReadAll(got.Body); err != nil || !bytes.Equal(read, data) {
		t.Errorf("read %d of %d bytes, %v", len(read), len(data), err)
	}
}
