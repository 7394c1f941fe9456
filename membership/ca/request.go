package ca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"

	"holdfast"
	"holdfast/storage"
)

// The files of a node's pki directory. Key and certificate share one, so that one rename changes both.
const (
	nodeFile   = "node.pem"
	bundleFile = "ca.pem"
)

// Request is a wish for a certificate, with the new key that it is for. The key stays here.
type Request struct {
	key *ecdsa.PrivateKey
	pem []byte
}

// NewRequest makes a key and asks for a certificate for it.
func NewRequest() (*Request, error) {
	const op = "request certificate"
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, holdfast.E(op, holdfast.Other, err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		return nil, holdfast.E(op, holdfast.Other, err)
	}
	return &Request{key: key, pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})}, nil
}

// PEM returns the request for [Authority.Issue]; it holds no secret.
func (r *Request) PEM() []byte { return r.pem }

// Install writes what was granted, and the key, into a node's pki directory, which is made if need be: the last step of joining. Invalid
// if the grant is not for this request.
func (r *Request) Install(dir string, g Grant) error {
	c, err := r.accept(g)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return &holdfast.Error{Op: "install certificate", ID: dir, Err: err}
	}
	return c.save(dir)
}

// accept checks a grant and returns it with the key.
func (r *Request) accept(g Grant) (*credentials, error) {
	const op = "install certificate"
	cert, rest, err := nextCertificate(g.Certificate)
	if err == nil && len(rest) > 0 {
		err = errNotPEM
	}
	if err != nil {
		return nil, holdfast.E(op, holdfast.Invalid, err)
	}
	if !r.key.PublicKey.Equal(cert.PublicKey) {
		return nil, holdfast.E(op, holdfast.Invalid, errors.New("the certificate is for another key"))
	}
	c, err := newCredentials(pair{cert, r.key}, g.Bundle)
	if err != nil {
		return nil, holdfast.E(op, holdfast.Invalid, err)
	}
	return c, nil
}

// credentials are what a node shows, and whom it trusts. They do not change.
type credentials struct {
	self   Identity
	node   pair
	bundle []byte
	trust  []*x509.Certificate
	roots  *x509.CertPool
	signer *x509.Certificate // of trust, the one that signed node
}

func newCredentials(node pair, bundle []byte) (*credentials, error) {
	self, err := identityOf(node.cert)
	if err == nil {
		err = self.validate()
	}
	if err != nil {
		return nil, err
	}
	cluster, trust, err := parseBundle(bundle)
	if err != nil {
		return nil, err
	}
	if cluster != self.Cluster {
		return nil, errors.New("the certificate and the authority are of different clusters")
	}
	c := &credentials{self: self, node: node, bundle: bundle, trust: trust, roots: x509.NewCertPool()}
	for _, a := range trust {
		c.roots.AddCert(a)
		if node.cert.CheckSignatureFrom(a) == nil {
			c.signer = a
		}
	}
	if c.signer == nil {
		return nil, errors.New("the authority did not sign the certificate")
	}
	return c, nil
}

// save writes the bundle first: until the certificate follows, the old one goes with it, because bundles overlap.
func (c *credentials) save(dir string) error {
	key, err := encodeKey(c.node.key)
	if err != nil {
		return err
	}
	if err := storage.ReplacePrivate(filepath.Join(dir, bundleFile), c.bundle); err != nil {
		return err
	}
	return storage.ReplacePrivate(filepath.Join(dir, nodeFile), append(encodeCertificate(c.node.cert), key...))
}

func loadCredentials(dir string) (*credentials, error) {
	const op = "read certificate of node"
	b, err := storage.ReadPrivate(filepath.Join(dir, nodeFile), maxPEM)
	if err != nil {
		return nil, err
	}
	bundle, err := storage.ReadPrivate(filepath.Join(dir, bundleFile), maxPEM)
	if err != nil {
		return nil, err
	}
	cert, key, rest, err := parsePair(b)
	if err == nil && (key == nil || len(rest) > 0) {
		err = errNotPEM
	}
	if err != nil {
		return nil, &holdfast.Error{Op: op, Kind: holdfast.Corrupt, ID: dir, Err: err}
	}
	c, err := newCredentials(pair{cert, key}, bundle)
	if err != nil {
		return nil, &holdfast.Error{Op: op, Kind: holdfast.Corrupt, ID: dir, Err: err}
	}
	return c, nil
}
