package found

import (
	"context"
	"fmt"

	"holdfast"
	"holdfast/membership/ca"
	"holdfast/membership/config"
	"holdfast/membership/confrpc"
	"holdfast/node/confdir"
)

// Joining says how a machine becomes a host of a cluster that runs.
type Joining struct {
	Server   string // address of the node of a configuration service
	Password []byte
	Service  bool         // become a configuration service, too
	Gateway  bool         // no mount: run gateways alone
	Node     confdir.Node // Cluster and Host are filled in; Host may be given
}

// Join makes this machine a host: it asks a configuration service, and writes the configuration directory from what it gets. Exists if
// the directory is a host's already. For the errors of the service see confrpc.Join. Should it fail after the service has answered, the
// host is in the configuration and not here: the next attempt with the same id goes on from there.
func Join(ctx context.Context, dir confdir.Dir, j Joining) (holdfast.HostID, error) {
	if _, err := dir.Load(); !holdfast.Is(err, holdfast.NotFound) {
		return 0, holdfast.E("join", holdfast.Exists, fmt.Errorf("%s is a host's already", dir))
	}
	request, err := ca.NewRequest()
	if err != nil {
		return 0, err
	}
	ask := confrpc.JoinRequest{
		Certificate: request.PEM(), Gateway: j.Gateway, Service: j.Service, Host: j.Node.Host.Value, Name: j.Node.Name, Address: j.Node.Address,
	}
	for name := range j.Node.Storages {
		ask.Storages = append(ask.Storages, name)
	}
	g, err := confrpc.Join(ctx, j.Server, j.Password, ask)
	if err != nil {
		return 0, err
	}
	for name, content := range g.Files {
		if err := dir.Write(name, content); err != nil {
			return 0, err
		}
	}
	if err := request.Install(dir.Path(confdir.PKI), g.Grant); err != nil {
		return 0, err
	}
	if j.Service {
		authority, err := ca.ParseAuthority(g.Authority)
		if err != nil {
			return 0, err
		}
		if err := authority.Save(dir.Path(confdir.PKI)); err != nil {
			return 0, err
		}
	}
	if err := dir.SaveConfig(g.Config); err != nil {
		return 0, err
	}
	n := j.Node
	n.Cluster, n.Host = g.Cluster, config.IDOf(g.Host)
	n.Seeds = append(n.Seeds, j.Server)
	return g.Host, dir.Save(n)
}
