package ca

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"holdfast"
)

// Role is what the holder of a certificate may be.
type Role uint8

// The roles.
const (
	RoleHost    Role = iota + 1 // a node: runs services, and says what the cluster should be
	RoleGateway                 // a machine without the mount: asks services for data, and where they are
	roleAuthority
)

var roleNames = map[Role]string{RoleHost: "hosts", RoleGateway: "gateways", roleAuthority: "authorities"}

// String returns the role as it is in a certificate.
func (r Role) String() string { return roleNames[r] }

// Identity is who a certificate speaks for.
type Identity struct {
	Cluster string // 32 hex digits
	Role    Role
	Host    holdfast.HostID
}

// String returns the identity as a URI, holdfast://CLUSTER/hosts/HOST; it is the only subject alternative name of a certificate.
func (i Identity) String() string {
	return "holdfast://" + i.Cluster + "/" + i.Role.String() + "/" + i.Host.String()
}

// ParseIdentity reads such a URI, exactly as String writes it. Invalid for anything else.
func ParseIdentity(uri string) (Identity, error) {
	bad := holdfast.E("read identity", holdfast.Invalid, fmt.Errorf("%q is not holdfast://CLUSTER/hosts/HOST or the like", uri))
	parts := strings.Split(strings.TrimPrefix(uri, "holdfast://"), "/")
	if len(parts) != 3 || !validCluster(parts[0]) {
		return Identity{}, bad
	}
	host, err := holdfast.ParseServiceID(parts[2])
	if err != nil || host == 0 {
		return Identity{}, bad
	}
	for role, name := range roleNames {
		i := Identity{Cluster: parts[0], Role: role, Host: holdfast.HostID(host)}
		if name == parts[1] && i.String() == uri {
			return i, nil
		}
	}
	return Identity{}, bad
}

func validCluster(s string) bool { return len(s) == 32 && strings.Trim(s, "0123456789abcdef") == "" }

// validate returns what is wrong with the identity of a node.
func (i Identity) validate() error {
	if !validCluster(i.Cluster) || i.Role != RoleHost && i.Role != RoleGateway || i.Host == 0 {
		return fmt.Errorf("%s is not the identity of a host or gateway", i)
	}
	return nil
}

func (i Identity) url() *url.URL {
	return &url.URL{Scheme: "holdfast", Host: i.Cluster, Path: "/" + i.Role.String() + "/" + i.Host.String()}
}

// identityOf reads the identity in a certificate, which must be the only name in it.
func identityOf(c *x509.Certificate) (Identity, error) {
	if len(c.URIs) != 1 || len(c.DNSNames)+len(c.IPAddresses)+len(c.EmailAddresses) != 0 {
		return Identity{}, holdfast.E("read identity", holdfast.Invalid, errors.New("the certificate has other names than one URI"))
	}
	return ParseIdentity(c.URIs[0].String())
}

// PeerOf returns who is at the other end of a connection that was made with a configuration of [Keeper.Server] or [Keeper.Client].
// Denied if nobody has proven to be there.
func PeerOf(state tls.ConnectionState) (Identity, error) {
	if !state.HandshakeComplete || len(state.PeerCertificates) == 0 {
		return Identity{}, holdfast.E("identify peer", holdfast.Denied, errors.New("it showed no certificate"))
	}
	return identityOf(state.PeerCertificates[0])
}
