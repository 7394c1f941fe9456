package ca

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"holdfast"
)

// Server returns the configuration of a listener for peers with one of the roles. The handshake fails for everybody else.
func (k *Keeper) Server(roles ...Role) *tls.Config {
	c := k.Greeter()
	c.ClientAuth = tls.RequireAnyClientCert // VerifyConnection looks at it
	c.VerifyConnection = func(s tls.ConnectionState) error {
		return k.verify(s, x509.ExtKeyUsageClientAuth, func(peer Identity) error {
			if !slices.Contains(roles, peer.Role) {
				return fmt.Errorf("%s may not call here", peer)
			}
			return nil
		})
	}
	return c
}

// Client returns the configuration of connections to a host: any of the cluster if id is 0. The handshake fails if
// somebody else answers. It ignores the name that was dialled.
func (k *Keeper) Client(id holdfast.HostID) *tls.Config {
	c := Newcomer()
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return k.certificate(), nil }
	c.VerifyConnection = func(s tls.ConnectionState) error {
		return k.verify(s, x509.ExtKeyUsageServerAuth, func(peer Identity) error {
			if peer.Role != RoleHost || id != 0 && peer.Host != id {
				return fmt.Errorf("%s answers where host %s should", peer, id)
			}
			return nil
		})
	}
	return c
}

// Greeter returns the configuration of a listener for new hosts, which have no certificate. It proves nothing about who calls:
// nothing may be done there but what package password guards.
func (k *Keeper) Greeter() *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		SessionTicketsDisabled: true, // each connection is checked anew
		GetCertificate:         func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return k.certificate(), nil },
	}
}

// Newcomer returns the configuration with which a new host calls a Greeter. It proves nothing about who answers: nothing
// may be believed before package password has proven who it is.
func Newcomer() *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		InsecureSkipVerify: true, // certificates of the cluster have no names of DNS; the callers check otherwise
	}
}

func (k *Keeper) certificate() *tls.Certificate {
	c := k.present.Load().node
	return &tls.Certificate{Certificate: [][]byte{c.cert.Raw}, PrivateKey: c.key, Leaf: c.cert}
}

// verify checks the other end's certificate: the authority, the time, the purpose, the cluster, and what the caller wants.
func (k *Keeper) verify(s tls.ConnectionState, usage x509.ExtKeyUsage, accept func(Identity) error) error {
	err := k.check(s, usage, accept)
	if err != nil {
		k.metrics.refused.Inc()
		return holdfast.E("check certificate of peer", holdfast.Denied, err)
	}
	return nil
}

func (k *Keeper) check(s tls.ConnectionState, usage x509.ExtKeyUsage, accept func(Identity) error) error {
	if len(s.PeerCertificates) == 0 {
		return errors.New("it has none")
	}
	present := k.present.Load()
	leaf := s.PeerCertificates[0]
	peer, err := identityOf(leaf)
	if err != nil {
		return err
	}
	if peer.Cluster != present.self.Cluster {
		return fmt.Errorf("%s is of another cluster than %s", peer, present.self)
	}
	opt := x509.VerifyOptions{Roots: present.roots, CurrentTime: k.opt.Now(), KeyUsages: []x509.ExtKeyUsage{usage}}
	if _, err := leaf.Verify(opt); err != nil {
		return fmt.Errorf("%s: %w", peer, err)
	}
	if err := accept(peer); err != nil {
		return err
	}
	if k.opt.Admit != nil {
		return k.opt.Admit(peer)
	}
	return nil
}
