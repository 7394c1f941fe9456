package probe

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"time"

	"holdfast"
	"holdfast/storage"
)

// Bounds of the conversation of two hosts.
const (
	peerWithin  = 10 * time.Minute // to wait for the other host
	dialWithin  = 10 * time.Second
	peerPatient = 2 * time.Minute // between two requests: a step of the measuring side
)

// A token is what one host prints and another is given: the address, and a secret from which both sides derive the same
// key for mutual TLS. Whoever has it can create files in a probe's directory of the mount and no more.
type token struct {
	address string
	seed    []byte
}

func newToken(address string) token {
	seed := make([]byte, ed25519.SeedSize)
	_, _ = rand.Read(seed) // never fails
	return token{address, seed}
}

// String returns the token as it is printed.
func (t token) String() string { return t.address + "/" + base64.RawURLEncoding.EncodeToString(t.seed) }

func parseToken(s string) (token, error) {
	address, secret, ok := strings.Cut(s, "/")
	seed, err := base64.RawURLEncoding.DecodeString(secret)
	if _, _, bad := net.SplitHostPort(address); !ok || bad != nil || err != nil || len(seed) != ed25519.SeedSize {
		return token{}, errors.New("is not what the probe on the other host printed")
	}
	return token{address, seed}, nil
}

// tls returns what both sides use: a certificate of the key that the secret gives, and a check that the other side has the same.
func (t token) tls() (*tls.Config, error) {
	key := ed25519.NewKeyFromSeed(t.seed)
	page := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"probe"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, page, page, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		ClientAuth:   tls.RequireAnyClientCert,
		// The key is checked below instead of a chain: there is no authority.
		InsecureSkipVerify: true,
		VerifyConnection: func(c tls.ConnectionState) error {
			theirs, ok := c.PeerCertificates[0].PublicKey.(ed25519.PublicKey)
			if !ok || !theirs.Equal(key.Public()) {
				return errors.New("the other side has another token")
			}
			return nil
		},
	}, nil
}

// greeting is the first message of the joining side.
type greeting struct {
	Probe int    `json:"probe"` // the version of the conversation
	Host  string `json:"host"`
}

const greetingVersion = 1

// remote is the measuring side's end of a conversation.
type remote struct {
	conn *tls.Conn
	in   *json.Decoder
	out  *json.Encoder
	name string
}

// await waits for the other host on the token's address. Strangers are turned away.
func await(ctx context.Context, t token, told func(address token)) (*remote, error) {
	conf, err := t.tls()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, peerWithin)
	defer cancel()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", t.address)
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() }) // which ends Accept
	defer stop()
	told(token{listener.Addr().String(), t.seed})
	for {
		conn, err := listener.Accept()
		if err != nil {
			if ctx.Err() != nil {
				err = fmt.Errorf("no other host came: %w", ctx.Err())
			}
			return nil, err
		}
		if r := greet(ctx, tls.Server(conn, conf)); r != nil {
			return r, nil
		}
		_ = conn.Close() // a stranger
	}
}

// greet returns nil if the other side does not know the token.
func greet(ctx context.Context, conn *tls.Conn) *remote {
	ctx, cancel := context.WithTimeout(ctx, dialWithin)
	defer cancel()
	if conn.HandshakeContext(ctx) != nil {
		return nil
	}
	_ = conn.SetDeadline(time.Now().Add(dialWithin)) // fails only on closed connections, which the next read tells
	r := &remote{conn: conn, in: json.NewDecoder(conn), out: json.NewEncoder(conn)}
	var hello greeting
	if r.in.Decode(&hello) != nil || hello.Probe != greetingVersion {
		return nil
	}
	r.name = hello.Host
	return r
}

// do asks the other side and waits for its answer.
func (r *remote) do(q request) response {
	_ = r.conn.SetDeadline(time.Now().Add(peerPatient)) // as above
	var a response
	err := r.out.Encode(q)
	if err == nil {
		err = r.in.Decode(&a)
	}
	if err != nil {
		return response{Err: "the other host: " + err.Error()}
	}
	return a
}

func (r *remote) close() { _ = r.conn.Close() } // nothing is under way

// Join serves a probe that runs on another host until it is done. dir is the same directory as there, on this host's mount.
func Join(ctx context.Context, fsys storage.FS, dir, joinToken string) error {
	t, err := parseToken(joinToken)
	if err != nil {
		return holdfast.E("join", holdfast.Invalid, err)
	}
	conf, err := t.tls()
	if err != nil {
		return err
	}
	dialer := tls.Dialer{NetDialer: &net.Dialer{Timeout: dialWithin}, Config: conf}
	conn, err := dialer.DialContext(ctx, "tcp", t.address)
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // which ends the wait for a request
	defer stop()
	in, out := json.NewDecoder(conn), json.NewEncoder(conn)
	if err := out.Encode(greeting{greetingVersion, hostName()}); err != nil {
		return err
	}
	o := &observer{fs: fsys, root: dir}
	defer o.close()
	for {
		_ = conn.SetDeadline(time.Now().Add(peerPatient)) // as above
		var q request
		err := in.Decode(&q)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return errors.Join(ctx.Err(), err)
		}
		if err := out.Encode(o.do(q)); err != nil {
			return err
		}
	}
}
