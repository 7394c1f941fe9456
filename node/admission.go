package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"holdfast"
	"holdfast/membership"
	"holdfast/membership/ca"
	"holdfast/membership/config"
	"holdfast/membership/confrpc"
	"holdfast/membership/password"
	"holdfast/node/confdir"
)

// openDoor returns what lets new hosts in, nil if this node is no configuration service.
func openDoor(dir confdir.Dir, now func() time.Time) (*password.Door, error) {
	b, err := dir.ReadSecret(confdir.PasswordFile)
	if holdfast.Is(err, holdfast.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	v, err := password.ParseVerifier(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir.Path(confdir.PasswordFile), err)
	}
	return password.NewDoor(v, password.NewLimiter(now)), nil
}

// authority returns what signs certificates: Unavailable if this node is no configuration service.
func (p *Peer) authority() (*ca.Authority, error) {
	a, err := ca.LoadAuthority(p.dir.Path(confdir.PKI))
	if holdfast.Is(err, holdfast.NotFound) {
		return nil, holdfast.E("node.authority", holdfast.Unavailable, errors.New("this node is no configuration service: ask another"))
	}
	return a, err
}

func (p *Peer) now() time.Time {
	if p.env.Now != nil {
		return p.env.Now()
	}
	return time.Now()
}

// Renew implements confrpc.Service.
func (a api) Renew(ctx context.Context, request []byte) (ca.Grant, error) {
	who, err := callerOf(ctx)
	if err != nil {
		return ca.Grant{}, err
	}
	return a.p.sign(request, who)
}

func (p *Peer) sign(request []byte, who ca.Identity) (ca.Grant, error) {
	authority, err := p.authority()
	if err != nil {
		return ca.Grant{}, err
	}
	return authority.Issue(request, who, p.now())
}

// renewOnceOpen is renew for the keeper of the certificates, which is there before the ways to other nodes are.
func (p *Peer) renewOnceOpen(ctx context.Context, request []byte) (ca.Grant, error) {
	select {
	case <-p.opened:
		return p.renew(ctx, request)
	case <-ctx.Done():
		return ca.Grant{}, ctx.Err()
	}
}

// renew gets a new certificate for this node: from its own authority, or from a configuration service.
func (p *Peer) renew(ctx context.Context, request []byte) (ca.Grant, error) {
	g, err := p.sign(request, p.links.keeper.Self())
	if err == nil {
		return g, nil
	}
	for _, at := range p.others() {
		conn, dialErr := p.disc.Conn(at)
		if dialErr != nil {
			continue
		}
		if g, err = confrpc.NewClient(conn).Renew(ctx, request); err == nil {
			return g, nil
		}
	}
	return g, err
}

var _ confrpc.Granter = api{}

// Grant implements confrpc.Granter.
func (a api) Grant(ctx context.Context, r confrpc.JoinRequest) (confrpc.JoinGrant, error) {
	p := a.p
	authority, err := p.authority()
	if err != nil {
		return confrpc.JoinGrant{}, err
	}
	if host, _, err := net.SplitHostPort(r.Address); err != nil || net.ParseIP(host) == nil {
		return confrpc.JoinGrant{}, holdfast.E("join", holdfast.Invalid, fmt.Errorf("address %q is not IP:PORT", r.Address))
	}
	if r.Host == 0 {
		r.Host = membership.NewHostID()
	}
	if m, ok := p.group.Alive(r.Host); ok && m.Address != r.Address {
		return confrpc.JoinGrant{}, holdfast.E("join", holdfast.Conflict, fmt.Errorf("host %s lives at %s", r.Host, m.Address))
	}
	role := ca.RoleHost
	if r.Gateway {
		role = ca.RoleGateway
	}
	g := confrpc.JoinGrant{Cluster: p.me.Cluster, Host: r.Host}
	if g.Grant, err = authority.Issue(r.Certificate, ca.Identity{Cluster: p.me.Cluster, Role: role, Host: r.Host}, p.now()); err != nil {
		return g, err
	}
	if g.Files, err = a.Secrets(ctx); err != nil {
		return g, err
	}
	if r.Service {
		if g.Authority, err = authority.Encode(); err != nil {
			return g, err
		}
		if g.Files[confdir.PasswordFile], err = p.dir.ReadSecret(confdir.PasswordFile); err != nil {
			return g, err
		}
	}
	host := config.Host{ID: config.IDOf(r.Host), Name: r.Name, Address: r.Address, Storages: r.Storages}
	g.Config, err = confrpc.Change(ctx, a, func(c config.Config) (config.Config, error) { return c.WithHost(host), nil })
	if err == nil {
		p.log.Info("host joined", "host", r.Host.String(), "name", r.Name, "address", r.Address, "service", r.Service, "gateway", r.Gateway)
	}
	return g, err
}
