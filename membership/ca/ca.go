// Package ca is the cluster's own certificate authority and what hosts do with its certificates: mutual TLS 1.3 between nodes.
//
// Its invariant: a connection made with the configurations of a [Keeper] has at both ends a holder of a certificate that the
// authority of this cluster signed, which is in force, for the role that was asked for. No name of DNS counts, only the
// [Identity].
//
// The authority ([Authority], on configuration services alone) signs certificates of [Lifetime]. A Keeper renews its own at half
// of it, so configuration services may be away for as long before anything suffers. There are no revocation lists: who must
// not come in any more is taken out of the configuration, which Options.Admit asks at each handshake; what is connected
// already is the caller's to close.
//
// The authority itself is replaced in three steps, each of which must have reached every node before the next: Introduce a new
// certificate of the authority, so that all trust it; Promote it, so that it signs, and renew all; Retire the old one.
//
// Private keys are ECDSA P-256, made where they are used, and never leave that machine, except that configuration services hand
// the authority to one another. Files are described in FORMAT.md.
package ca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"path/filepath"
	"time"

	"holdfast"
	"holdfast/storage"
)

const (
	// Lifetime is how long a certificate of a node is in force.
	Lifetime = 90 * 24 * time.Hour

	// AuthorityLifetime is the same for one of the authority.
	AuthorityLifetime = 10 * 365 * 24 * time.Hour

	// skew is how far the clocks of machines may differ: certificates are in force so much earlier.
	skew = time.Hour

	// maxAuthorities bounds how many certificates of the authority are trusted at a time.
	maxAuthorities = 4
)

// pair is a certificate with its key.
type pair struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// Authority signs certificates. It is a value: the steps of a roll-over return another one. Safe for concurrent use.
type Authority struct {
	cluster string
	signer  pair
	next    *pair               // introduced, signs nothing yet
	old     []*x509.Certificate // signed once
}

// NewAuthority makes the authority of a new cluster, whose name is 32 hex digits.
func NewAuthority(cluster string, now time.Time) (*Authority, error) {
	signer, err := newSigner(cluster, 1, now)
	if err != nil {
		return nil, err
	}
	return &Authority{cluster: cluster, signer: signer}, nil
}

// newSigner makes a certificate of the authority with its key; number tells it from its predecessors.
func newSigner(cluster string, number uint64, now time.Time) (pair, error) {
	const op = "make certificate authority"
	if !validCluster(cluster) {
		return pair{}, holdfast.E(op, holdfast.Invalid, fmt.Errorf("cluster %q is not 32 hex digits", cluster))
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair{}, holdfast.E(op, holdfast.Other, err)
	}
	id := Identity{Cluster: cluster, Role: roleAuthority, Host: holdfast.HostID(number)}
	template := &x509.Certificate{
		SerialNumber: newSerial(), Subject: pkix.Name{CommonName: fmt.Sprintf("holdfast authority %d", number)},
		NotBefore: now.Add(-skew), NotAfter: now.Add(AuthorityLifetime),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
	}
	template.URIs = append(template.URIs, id.url())
	cert, err := sign(template, template, key.Public().(*ecdsa.PublicKey), key)
	if err != nil {
		return pair{}, holdfast.E(op, holdfast.Other, err)
	}
	return pair{cert, key}, nil
}

func newSerial() *big.Int {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[0] &= 0x7f           // RFC 5280, 4.1.2.2: positive, at most 20 octets
	return new(big.Int).SetBytes(b[:])
}

func sign(template, parent *x509.Certificate, public *ecdsa.PublicKey, key *ecdsa.PrivateKey) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// Grant is what the authority gives to a node: its certificate, and whom to trust. It holds no secret.
type Grant struct {
	Certificate []byte // PEM
	Bundle      []byte // PEM, the certificates of the authority that count
}

// Issue signs the certificate of a node from its request (see [NewRequest]), of which only the key counts: who it is says the
// caller, which has checked that. Errors: Invalid for a request or identity that makes no sense; Unavailable if the
// authority's own time is over.
func (a *Authority) Issue(request []byte, as Identity, now time.Time) (Grant, error) {
	const op = "issue certificate"
	if err := as.validate(); err != nil {
		return Grant{}, holdfast.E(op, holdfast.Invalid, err)
	}
	if as.Cluster != a.cluster {
		return Grant{}, holdfast.E(op, holdfast.Invalid, fmt.Errorf("%s is of another cluster than %s", as, a.cluster))
	}
	public, err := parseRequest(request)
	if err != nil {
		return Grant{}, holdfast.E(op, holdfast.Invalid, err)
	}
	notAfter, end := now.Add(Lifetime), a.signer.cert.NotAfter
	if !now.Before(end) {
		return Grant{}, holdfast.E(op, holdfast.Unavailable, fmt.Errorf("the authority's own certificate has run out: %v", end))
	}
	if end.Before(notAfter) {
		notAfter = end
	}
	template := &x509.Certificate{
		SerialNumber: newSerial(), Subject: pkix.Name{CommonName: as.Role.String() + " " + as.Host.String()},
		NotBefore: now.Add(-skew), NotAfter: notAfter,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	template.URIs = append(template.URIs, as.url())
	cert, err := sign(template, a.signer.cert, public, a.signer.key)
	if err != nil {
		return Grant{}, holdfast.E(op, holdfast.Other, err)
	}
	return Grant{Certificate: encodeCertificate(cert), Bundle: a.Bundle()}, nil
}

// Cluster returns the cluster's name.
func (a *Authority) Cluster() string { return a.cluster }

// Bundle returns the certificates of the authority that count, as PEM: the one that signs, one that will, those that did.
func (a *Authority) Bundle() []byte {
	b := encodeCertificate(a.signer.cert)
	if a.next != nil {
		b = append(b, encodeCertificate(a.next.cert)...)
	}
	for _, c := range a.old {
		b = append(b, encodeCertificate(c)...)
	}
	return b
}

// Introduce begins a roll-over: it returns an authority that tells of a new certificate and still signs with the present one. Conflict
// if one has begun, or certificates of the last one still count.
func (a *Authority) Introduce(now time.Time) (*Authority, error) {
	if a.next != nil || len(a.old) > 0 {
		return nil, holdfast.E("introduce authority", holdfast.Conflict, errors.New("the last roll-over has not ended: promote or retire first"))
	}
	present, err := identityOf(a.signer.cert)
	if err != nil {
		return nil, err
	}
	next, err := newSigner(a.cluster, uint64(present.Host)+1, now)
	if err != nil {
		return nil, err
	}
	return &Authority{cluster: a.cluster, signer: a.signer, next: &next}, nil
}

// Promote returns an authority that signs with the certificate that was introduced. Every node must trust it by now. Conflict if
// there is none.
func (a *Authority) Promote() (*Authority, error) {
	if a.next == nil {
		return nil, holdfast.E("promote authority", holdfast.Conflict, errors.New("none was introduced"))
	}
	return &Authority{cluster: a.cluster, signer: *a.next, old: append(a.old[:len(a.old):len(a.old)], a.signer.cert)}, nil
}

// Retire ends a roll-over: it returns an authority whose old certificate does not count any more. Every node must have renewed its
// certificate by now. Conflict if none is old.
func (a *Authority) Retire() (*Authority, error) {
	if len(a.old) == 0 {
		return nil, holdfast.E("retire authority", holdfast.Conflict, errors.New("none is old"))
	}
	return &Authority{cluster: a.cluster, signer: a.signer, next: a.next}, nil
}

// authorityFile is the authority in the directory of a configuration service.
const authorityFile = "authority.pem"

// Save writes the authority, keys and all, into the pki directory of a configuration service.
func (a *Authority) Save(dir string) error {
	b, err := a.Encode()
	if err != nil {
		return err
	}
	return storage.ReplacePrivate(filepath.Join(dir, authorityFile), b)
}

// LoadAuthority reads what Save wrote. NotFound if this is no configuration service.
func LoadAuthority(dir string) (*Authority, error) {
	b, err := storage.ReadPrivate(filepath.Join(dir, authorityFile), maxPEM)
	if err != nil {
		return nil, err
	}
	return ParseAuthority(b)
}

// Encode writes the authority with its keys, for another configuration service: a secret of the cluster.
func (a *Authority) Encode() ([]byte, error) {
	pairs := []pair{a.signer}
	if a.next != nil {
		pairs = append(pairs, *a.next)
	}
	var b []byte
	for _, p := range pairs {
		key, err := encodeKey(p.key)
		if err != nil {
			return nil, err
		}
		b = append(append(b, encodeCertificate(p.cert)...), key...)
	}
	for _, c := range a.old {
		b = append(b, encodeCertificate(c)...)
	}
	return b, nil
}

// ParseAuthority reads what Encode wrote. The error, Corrupt, holds nothing of its content.
func ParseAuthority(b []byte) (*Authority, error) {
	const op = "read certificate authority"
	var pairs []pair
	var a Authority
	for rest := b; len(rest) > 0; {
		cert, key, tail, err := parsePair(rest)
		if err != nil {
			return nil, holdfast.E(op, holdfast.Corrupt, err)
		}
		id, err := checkAuthority(cert)
		if err != nil {
			return nil, holdfast.E(op, holdfast.Corrupt, err)
		}
		if rest = tail; a.cluster == "" {
			a.cluster = id.Cluster
		}
		switch {
		case id.Cluster != a.cluster || len(pairs)+len(a.old) == maxAuthorities || key != nil && len(a.old) > 0:
			return nil, holdfast.E(op, holdfast.Corrupt, errors.New("its certificates do not belong together"))
		case key != nil:
			pairs = append(pairs, pair{cert, key})
		default:
			a.old = append(a.old, cert)
		}
	}
	switch len(pairs) {
	case 2:
		a.next = &pairs[1]
		fallthrough
	case 1:
		a.signer = pairs[0]
		return &a, nil
	}
	return nil, holdfast.E(op, holdfast.Corrupt, fmt.Errorf("it has %d keys, want 1 or 2", len(pairs)))
}

// checkAuthority returns the identity in a certificate of an authority.
func checkAuthority(c *x509.Certificate) (Identity, error) {
	id, err := identityOf(c)
	if err == nil && (id.Role != roleAuthority || !c.IsCA || c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) != nil) {
		err = fmt.Errorf("%s is not an authority that signed itself", id)
	}
	return id, err
}

func encodeCertificate(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}
