package password_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast"
	"holdfast/membership/password"
)

const secret = "correct horse battery"

// golden is the file of secret, with the cheapest scrypt that there may be.
const golden = "password 1\nscrypt 14 8 1\nsalt 000102030405060708090a0b0c0d0e0f\n" +
	"key e96ec6ba8c63a23698220f37c7fc042925d430c7feadec9ceb04af03cabb9f2f\n"

func verifier(t testing.TB) password.Verifier {
	t.Helper()
	v, err := password.ParseVerifier([]byte(golden))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// clock is a time that tests move.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func newDoor(t testing.TB) (*password.Door, *clock) {
	c := &clock{time.Unix(1e9, 0)}
	return password.NewDoor(verifier(t), password.NewLimiter(c.now)), c
}

// talk has a whole conversation. The two ends may be on different connections.
func talk(d *password.Door, pass string, hostBinding, nodeBinding []byte) (nodeErr, hostErr error) {
	a, hello := password.Begin([]byte(pass), hostBinding)
	q, challenge, err := d.Ask("192.0.2.1", nodeBinding, hello)
	if err != nil {
		return err, nil
	}
	answer, err := a.Answer(challenge)
	if err != nil {
		return nil, err
	}
	proof, err := q.Check(answer)
	if err != nil {
		return err, nil
	}
	return nil, a.Check(proof)
}

func TestBothProveThePassword(t *testing.T) {
	v, err := password.NewVerifier([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	d := password.NewDoor(v, password.NewLimiter(nil))
	if nodeErr, hostErr := talk(d, secret, []byte("channel"), []byte("channel")); nodeErr != nil || hostErr != nil {
		t.Errorf("node: %v, new host: %v", nodeErr, hostErr)
	}
}

func TestWrongPasswordIsDenied(t *testing.T) {
	d, _ := newDoor(t)
	for _, pass := range []string{secret + "x", secret[1:], ""} {
		if err, _ := talk(d, pass, []byte("channel"), []byte("channel")); !holdfast.Is(err, holdfast.Denied) {
			t.Errorf("%q: got %v, want Denied", pass, err)
		}
	}
}

// A node that does not know the password learns nothing it could use, and is not believed.
func TestFalseNodeIsDenied(t *testing.T) {
	other, err := password.NewVerifier([]byte("another password"))
	if err != nil {
		t.Fatal(err)
	}
	d := password.NewDoor(other, password.NewLimiter(nil))
	a, hello := password.Begin([]byte(secret), []byte("channel"))
	_, challenge, err := d.Ask("192.0.2.1", []byte("channel"), hello)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Answer(challenge); err != nil {
		t.Fatal(err)
	}
	for _, proof := range [][]byte{append([]byte{1}, make([]byte, 32)...), append([]byte{1}, challenge[1:33]...)} {
		if err := a.Check(proof); !holdfast.Is(err, holdfast.Denied) {
			t.Errorf("got %v, want Denied", err)
		}
	}
}

// What one conversation said is worth nothing in another: not on another channel, not with another challenge, not twice.
func TestReplayIsDenied(t *testing.T) {
	d, _ := newDoor(t)
	a, hello := password.Begin([]byte(secret), []byte("channel"))
	q, challenge, err := d.Ask("192.0.2.1", []byte("channel"), hello)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := a.Answer(challenge)
	if err != nil {
		t.Fatal(err)
	}
	for _, channel := range []string{"channel", "another"} {
		again, _, err := d.Ask("192.0.2.1", []byte(channel), hello)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := again.Check(answer); !holdfast.Is(err, holdfast.Denied) {
			t.Errorf("replayed on %s: got %v, want Denied", channel, err)
		}
	}
	proof, err := q.Check(answer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.Check(answer); !holdfast.Is(err, holdfast.Denied) {
		t.Errorf("checked twice: got %v, want Denied", err)
	}
	if err := a.Check(proof); err != nil {
		t.Fatal(err)
	}
	if err := a.Check(proof); !holdfast.Is(err, holdfast.Denied) {
		t.Errorf("proven twice: got %v, want Denied", err)
	}
}

// A bit that changes on the way is noticed, wherever it is.
func TestTamperingIsNoticed(t *testing.T) {
	d, clock := newDoor(t)
	for _, bit := range []int{8, 8 * 17, 8 * 18, 8*34 + 3, 8 * 40, 8*50 + 1} { // nonce, cost, salt, share
		clock.at = clock.at.Add(time.Hour)
		a, hello := password.Begin([]byte(secret), []byte("channel"))
		q, challenge, err := d.Ask("192.0.2.1", []byte("channel"), hello)
		if err != nil {
			t.Fatal(err)
		}
		challenge[bit/8] ^= 1 << (bit % 8)
		answer, err := a.Answer(challenge)
		if err == nil {
			_, err = q.Check(answer)
		}
		if !holdfast.Is(err, holdfast.Denied) && !holdfast.Is(err, holdfast.Corrupt) {
			t.Errorf("bit %d of the challenge: got %v, want Denied or Corrupt", bit, err)
		}
	}
}

// A challenge cannot make the new host spend without bound, or make guessing cheap.
func TestCostIsBounded(t *testing.T) {
	d, _ := newDoor(t)
	for _, logN := range []byte{0, 13, 18, 63, 255} {
		a, hello := password.Begin([]byte(secret), []byte("channel"))
		_, challenge, err := d.Ask(fmt.Sprint(logN), []byte("channel"), hello)
		if err != nil {
			t.Fatal(err)
		}
		challenge[17] = logN
		if _, err := a.Answer(challenge); !holdfast.Is(err, holdfast.Corrupt) {
			t.Errorf("log N of %d: got %v, want Corrupt", logN, err)
		}
	}
}

func TestTriesAreLimited(t *testing.T) {
	d, clock := newDoor(t)
	hello := append([]byte{1}, make([]byte, 16)...)
	try := func(source string) error { _, _, err := d.Ask(source, []byte("channel"), hello); return err }
	granted := func(source string) (n int) {
		for n = 0; try(source) == nil; n++ {
		}
		return n
	}
	if got := granted("192.0.2.1"); got != 5 {
		t.Errorf("%d tries of one source, want 5", got)
	}
	if err := try("192.0.2.1"); !holdfast.Is(err, holdfast.Overload) || !strings.Contains(err.Error(), "wait") {
		t.Errorf("got %v, want Overload", err)
	}
	clock.at = clock.at.Add(12 * time.Second)
	if got := granted("192.0.2.1"); got != 1 {
		t.Errorf("%d tries after 12 s, want 1", got)
	}
	total := 0
	for i := range 10 {
		total += granted(fmt.Sprintf("198.51.100.%d", i))
	}
	if want := 20 - 6 + 4; total != want { // four came back in 12 s
		t.Errorf("%d tries of other sources, want %d", total, want)
	}
	clock.at = clock.at.Add(time.Hour)
	if got := granted("192.0.2.1"); got != 5 {
		t.Errorf("%d tries after an hour, want 5", got)
	}
}

// Who knows the password is not limited.
func TestRightAnswersCostNothing(t *testing.T) {
	d, _ := newDoor(t)
	for i := range 6 {
		if nodeErr, hostErr := talk(d, secret, []byte("channel"), []byte("channel")); nodeErr != nil || hostErr != nil {
			t.Fatalf("the %dth time: node: %v, new host: %v", i+1, nodeErr, hostErr)
		}
	}
}

func TestLimiterForgets(t *testing.T) {
	clock := &clock{time.Unix(1e9, 0)}
	l := password.NewLimiter(clock.now)
	for i := range 3 * password.MaxSources {
		if _, err := l.Try(fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
		clock.at = clock.at.Add(3 * time.Second)
		if n := l.Sources(); n > password.MaxSources {
			t.Fatalf("%d sources are remembered, want at most %d", n, password.MaxSources)
		}
	}
}

func TestSetVerifier(t *testing.T) {
	d, _ := newDoor(t)
	other, err := password.NewVerifier([]byte("another password"))
	if err != nil {
		t.Fatal(err)
	}
	d.SetVerifier(other)
	if err, _ := talk(d, secret, nil, nil); !holdfast.Is(err, holdfast.Denied) {
		t.Errorf("the old password: got %v, want Denied", err)
	}
	if nodeErr, hostErr := talk(d, "another password", nil, nil); nodeErr != nil || hostErr != nil {
		t.Errorf("the new password: node: %v, new host: %v", nodeErr, hostErr)
	}
}

func TestValidate(t *testing.T) {
	for pass, ok := range map[string]bool{
		"12345678": true, strings.Repeat("x", 1024): true, "ein Satz mit Ü": true, "  spaces  ": true,
		"": false, "1234567": false, strings.Repeat("x", 1025): false, "12345678\n": false, "1234\x005678": false, "1234567\xff": false,
	} {
		err := password.Validate([]byte(pass))
		if ok != (err == nil) || err != nil && !holdfast.Is(err, holdfast.Invalid) {
			t.Errorf("%q: got %v", pass, err)
		}
		if err != nil && len(pass) > 3 && strings.Contains(err.Error(), pass) {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

func FuzzVerifier(f *testing.F) {
	b := verifier(f).Encode()
	f.Add(b)
	f.Add(bytes.Replace(b, []byte(" 14 "), []byte(" 31 "), 1))
	f.Add([]byte("password 2\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := password.ParseVerifier(b)
		if err == nil && !bytes.Equal(v.Encode(), b) {
			t.Errorf("%q decodes, but encodes as %q", b, v.Encode())
		}
		if err != nil && !holdfast.Is(err, holdfast.Corrupt) && !holdfast.Is(err, holdfast.Unsupported) {
			t.Errorf("got %v, want Corrupt or Unsupported", err)
		}
	})
}

// The file of format 1 stays readable for ever.
func TestGoldenFile(t *testing.T) {
	v, err := password.ParseVerifier([]byte(golden))
	if err != nil || string(v.Encode()) != golden {
		t.Fatalf("got %q, %v", v.Encode(), err)
	}
	d, _ := newDoor(t)
	if nodeErr, hostErr := talk(d, secret, nil, nil); nodeErr != nil || hostErr != nil {
		t.Errorf("the password of the golden file: node: %v, new host: %v", nodeErr, hostErr)
	}
}

// No message makes either side panic, and none but the right one convinces it.
func FuzzMessages(f *testing.F) {
	d, clock := newDoor(f)
	_, hello := password.Begin([]byte(secret), nil)
	_, challenge, err := d.Ask("a", nil, hello)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint8(0), hello)
	f.Add(uint8(1), challenge[:17])
	f.Add(uint8(2), append([]byte{1}, make([]byte, 64)...))
	f.Add(uint8(3), append([]byte{1}, make([]byte, 32)...))
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		clock.at = clock.at.Add(time.Hour)
		a, hello := password.Begin([]byte(secret), nil)
		switch which % 4 {
		case 0:
			_, _, _ = d.Ask("a", nil, b)
		case 1:
			if len(b) > 17 && b[17] >= 14 && b[17] <= 17 {
				return // slow on purpose
			}
			if _, err := a.Answer(b); err == nil {
				t.Errorf("%x was answered", b)
			}
		case 2:
			q, _, err := d.Ask("a", nil, hello)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := q.Check(b); err == nil {
				t.Errorf("%x was believed", b)
			}
		case 3:
			if err := a.Check(b); err == nil {
				t.Errorf("%x was believed before an answer", b)
			}
		}
	})
}

// dial makes a TLS connection, and returns the channel bindings of its two ends.
func dial(t *testing.T, version uint16) (client, server tls.ConnectionState) {
	t.Helper()
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	s := tls.Server(b, &tls.Config{Certificates: []tls.Certificate{selfSigned(t)}, MaxVersion: version})
	c := tls.Client(a, &tls.Config{InsecureSkipVerify: true, MaxVersion: version}) // as a new host does
	done := make(chan error, 1)
	go func() { done <- s.Handshake() }()
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return c.ConnectionState(), s.ConnectionState()
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func binding(t *testing.T, s tls.ConnectionState) []byte {
	t.Helper()
	b, err := password.Binding(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A machine in the middle has a connection with each side and passes every message on. Both sides notice.
func TestManInTheMiddle(t *testing.T) {
	host, middleOfHost := dial(t, 0)
	middleOfNode, node := dial(t, 0)
	if !slices.Equal(binding(t, host), binding(t, middleOfHost)) || slices.Equal(binding(t, host), binding(t, node)) {
		t.Fatal("the binding is not that of the connection")
	}
	d, _ := newDoor(t)
	a, hello := password.Begin([]byte(secret), binding(t, host))
	q, challenge, err := d.Ask("192.0.2.1", binding(t, node), hello)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := a.Answer(challenge)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.Check(answer); !holdfast.Is(err, holdfast.Denied) {
		t.Errorf("the node: got %v, want Denied", err)
	}
	// It cannot prove anything to the host either: it does not know the password.
	if err := a.Check(append([]byte{1}, binding(t, middleOfNode)...)); !holdfast.Is(err, holdfast.Denied) {
		t.Errorf("the new host: got %v, want Denied", err)
	}
	// With nobody in between it works.
	host, node = dial(t, 0)
	if nodeErr, hostErr := talk(d, secret, binding(t, host), binding(t, node)); nodeErr != nil || hostErr != nil {
		t.Errorf("node: %v, new host: %v", nodeErr, hostErr)
	}
}

func TestBindingWantsTLS13(t *testing.T) {
	old, _ := dial(t, tls.VersionTLS12)
	for _, s := range []tls.ConnectionState{old, {}} {
		if _, err := password.Binding(s); !holdfast.Is(err, holdfast.Invalid) {
			t.Errorf("version %x: got %v, want Invalid", s.Version, err)
		}
	}
}
