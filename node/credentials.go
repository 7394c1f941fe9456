package node

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// CredentialsFile is the name of the file in the data directory that holds the root credentials.
const CredentialsFile = "root-credentials.env"

// The variables of the credentials file and of the environment.
const (
	envAccessKey = "HOLDFAST_ROOT_ACCESS_KEY"
	envSecretKey = "HOLDFAST_ROOT_SECRET_KEY"
)

// Credentials are an access key and its secret.
type Credentials struct {
	AccessKey string
	SecretKey string
}

// Lengths of keys that are accepted from the environment, as S3 tools accept them.
const (
	minAccessKey, maxAccessKey = 3, 128
	minSecretKey, maxSecretKey = 8, 128
)

// LoadOrCreateCredentials reads the root credentials of a store. If there are none yet, they are taken from the environment
// (getenv) or made at random, and written durably with mode 0600 before they are returned.
func LoadOrCreateCredentials(dir string, getenv func(string) string) (Credentials, error) {
	name := filepath.Join(dir, CredentialsFile)
	data, err := os.ReadFile(name)
	if err == nil {
		return parseCredentials(name, data)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return Credentials{}, fmt.Errorf("root credentials: %w", err)
	}
	c := Credentials{AccessKey: getenv(envAccessKey), SecretKey: getenv(envSecretKey)}
	switch {
	case c.AccessKey == "" && c.SecretKey == "":
		c = randomCredentials()
	case c.AccessKey == "" || c.SecretKey == "":
		return Credentials{}, fmt.Errorf("%s and %s must be set both or not at all", envAccessKey, envSecretKey)
	}
	if err := c.validate(); err != nil {
		return Credentials{}, err
	}
	return c, writeCredentials(name, c)
}

func randomCredentials() Credentials {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	var b [16 + 30]byte
	_, _ = rand.Read(b[:]) // documented never to fail
	key := make([]byte, 16)
	for i := range key {
		key[i] = letters[b[i]%32]
	}
	return Credentials{AccessKey: "ROOT" + string(key), SecretKey: base64.RawURLEncoding.EncodeToString(b[16:])}
}

func (c Credentials) validate() error {
	if n := len(c.AccessKey); n < minAccessKey || n > maxAccessKey || strings.ContainsAny(c.AccessKey, " \t\r\n/=,:'\"\\$`") {
		return fmt.Errorf("%s: must be %d to %d characters without spaces, quotes, / = , : $", envAccessKey, minAccessKey, maxAccessKey)
	}
	if n := len(c.SecretKey); n < minSecretKey || n > maxSecretKey || strings.ContainsAny(c.SecretKey, " \t\r\n'\"\\$`") {
		return fmt.Errorf("%s: must be %d to %d characters without spaces or quotes", envSecretKey, minSecretKey, maxSecretKey)
	}
	return nil
}

func parseCredentials(name string, data []byte) (Credentials, error) {
	var c Credentials
	s := bufio.NewScanner(bytes.NewReader(data))
	for s.Scan() {
		key, value, ok := strings.Cut(strings.TrimSpace(s.Text()), "=")
		if !ok {
			continue
		}
		switch key {
		case envAccessKey:
			c.AccessKey = value
		case envSecretKey:
			c.SecretKey = value
		}
	}
	if err := c.validate(); err != nil {
		return Credentials{}, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// NewCredentials draws credentials.
func NewCredentials() Credentials { return randomCredentials() }

// Encode writes the file of the credentials. The error names what tools could not use.
func (c Credentials) Encode() ([]byte, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "# Root credentials of this store. Keep this file secret.\n%s=%s\n%s=%s\n",
		envAccessKey, c.AccessKey, envSecretKey, c.SecretKey), nil
}

func writeCredentials(name string, c Credentials) error {
	text, err := c.Encode()
	if err == nil {
		err = publishSecret(name, string(text))
	}
	if err != nil {
		return fmt.Errorf("root credentials: %w", err)
	}
	return nil
}

// publishSecret publishes a file that only its owner may read, whole or not at all: temp file, fsync, rename, directory fsync.
func publishSecret(name, text string) error {
	f, err := os.OpenFile(name+".tmp", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, text)
	if err == nil {
		err = f.Chmod(0o600) // a left-over temp file may have had another mode
	}
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(name+".tmp", name)
	}
	if err == nil {
		err = syncDir(filepath.Dir(name))
	}
	return err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// readFull reads until p is full or the file ends.
func readFull(r io.Reader, p []byte) (int, error) {
	n, err := io.ReadFull(r, p)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}
