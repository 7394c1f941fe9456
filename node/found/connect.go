package found

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"holdfast"
	"holdfast/membership/ca"
	"holdfast/membership/confrpc"
	"holdfast/membership/protocol"
	"holdfast/node/confdir"
	"holdfast/wire"
)

// helloWithin bounds how long a node may take to say hello before the next is tried.
const helloWithin = 2 * time.Second

// Connection is the configuration API of a node as tools on a host reach it. Close it.
type Connection struct {
	*confrpc.Client
	Address string // of the node that answers
	Version protocol.Version

	conn   *grpc.ClientConn
	keeper *ca.Keeper
}

// Connect reaches a node with the certificate of the host that a configuration directory describes: the node at one of the addresses
// that are given, or without any the host's own and then the others that its copy of the configuration has. NotFound if the directory is
// no host's; Unavailable if no node answers.
func Connect(ctx context.Context, dir confdir.Dir, addresses ...string) (*Connection, error) {
	n, err := dir.Load()
	if err != nil {
		return nil, err
	}
	if len(addresses) == 0 {
		addresses = append([]string{n.Address}, n.Seeds...)
		if c, err := dir.LoadConfig(); err == nil {
			for _, h := range c.Hosts {
				if h.Address != "" && h.Address != n.Address {
					addresses = append(addresses, h.Address)
				}
			}
		}
	}
	keeper, err := ca.Open(ca.Options{Dir: dir.Path(confdir.PKI)})
	if err != nil {
		return nil, err
	}
	me := confrpc.Greeting{Cluster: n.Cluster, Host: n.Host.Value, Speaks: protocol.Ours()}
	var errs []error
	for _, at := range addresses {
		c, err := connect(ctx, keeper, at, me)
		if err == nil {
			return c, nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", at, err))
	}
	return nil, holdfast.E("connect", holdfast.Unavailable, errors.Join(append(errs, keeper.Close())...))
}

func connect(ctx context.Context, keeper *ca.Keeper, at string, me confrpc.Greeting) (*Connection, error) {
	conn, err := grpc.NewClient("passthrough:///"+at,
		append(wire.DialOptions(), grpc.WithTransportCredentials(credentials.NewTLS(keeper.Client(0))))...)
	if err != nil {
		return nil, err
	}
	c := &Connection{Client: confrpc.NewClient(conn), Address: at, conn: conn, keeper: keeper}
	ctx, cancel := context.WithTimeout(ctx, helloWithin)
	defer cancel()
	if c.Version, err = confrpc.Agree(ctx, c, me); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return c, nil
}

// Close ends the connection.
func (c *Connection) Close() error { return errors.Join(c.conn.Close(), c.keeper.Close()) }
