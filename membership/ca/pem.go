package ca

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"holdfast"
)

// maxPEM bounds a file or message of certificates and keys.
const maxPEM = 64 << 10

var errNotPEM = errors.New("it is not what this program writes")

// nextBlock takes the block at the front of b, which must be just as this program writes it.
func nextBlock(b []byte) (block *pem.Block, rest []byte, err error) {
	if len(b) > maxPEM {
		return nil, nil, errNotPEM
	}
	block, rest = pem.Decode(b)
	if block == nil || len(block.Headers) > 0 || !bytes.Equal(b[:len(b)-len(rest)], pem.EncodeToMemory(block)) {
		return nil, nil, errNotPEM
	}
	return block, rest, nil
}

// nextCertificate takes a certificate off the front of b.
func nextCertificate(b []byte) (*x509.Certificate, []byte, error) {
	block, rest, err := nextBlock(b)
	if err != nil {
		return nil, nil, err
	}
	if block.Type != "CERTIFICATE" {
		return nil, nil, errNotPEM
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, nil, errNotPEM
	}
	if _, ok := p256(cert.PublicKey); !ok {
		return nil, nil, errors.New("the key of the certificate is not on P-256")
	}
	return cert, rest, nil
}

// parsePair takes a certificate off the front of b, and its key if that follows.
func parsePair(b []byte) (cert *x509.Certificate, key *ecdsa.PrivateKey, rest []byte, err error) {
	cert, rest, err = nextCertificate(b)
	if err != nil || len(rest) == 0 {
		return cert, nil, rest, err
	}
	block, tail, err := nextBlock(rest)
	if err != nil || block.Type == "CERTIFICATE" {
		return cert, nil, rest, err
	}
	if key, err = parseKey(block); err != nil {
		return nil, nil, nil, err
	}
	if !key.PublicKey.Equal(cert.PublicKey) {
		return nil, nil, nil, errors.New("key and certificate do not belong together")
	}
	return cert, key, tail, nil
}

func encodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, holdfast.E("encode private key", holdfast.Other, err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

func parseKey(block *pem.Block) (*ecdsa.PrivateKey, error) {
	if block.Type != "PRIVATE KEY" {
		return nil, errNotPEM
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errNotPEM // the cause might show a part of the key
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("the key is not on P-256")
	}
	if again, err := x509.MarshalPKCS8PrivateKey(key); err != nil || !bytes.Equal(again, block.Bytes) {
		return nil, errNotPEM
	}
	return key, nil
}

func p256(public any) (*ecdsa.PublicKey, bool) {
	key, ok := public.(*ecdsa.PublicKey)
	return key, ok && key.Curve == elliptic.P256()
}

// parseRequest returns the key of a certificate request, proven to be its sender's.
func parseRequest(b []byte) (*ecdsa.PublicKey, error) {
	block, rest, err := nextBlock(b)
	if err != nil {
		return nil, err
	}
	if block.Type != "CERTIFICATE REQUEST" || len(rest) > 0 {
		return nil, errNotPEM
	}
	r, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("certificate request: %w", err)
	}
	if err := r.CheckSignature(); err != nil {
		return nil, fmt.Errorf("certificate request: %w", err)
	}
	key, ok := p256(r.PublicKey)
	if !ok {
		return nil, errors.New("the key of the request is not on P-256")
	}
	return key, nil
}

// parseBundle reads the certificates of the authority of one cluster.
func parseBundle(b []byte) (cluster string, certs []*x509.Certificate, err error) {
	for len(b) > 0 {
		var cert *x509.Certificate
		if cert, b, err = nextCertificate(b); err != nil {
			return "", nil, err
		}
		id, err := checkAuthority(cert)
		if err != nil {
			return "", nil, err
		}
		if cluster == "" {
			cluster = id.Cluster
		}
		if certs = append(certs, cert); id.Cluster != cluster || len(certs) > maxAuthorities {
			return "", nil, errors.New("the certificates of the authority do not belong together")
		}
	}
	if len(certs) == 0 {
		return "", nil, errors.New("there is no certificate of an authority")
	}
	return cluster, certs, nil
}
