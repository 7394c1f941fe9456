package ctl

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"holdfast"
	"holdfast/membership/config"
	"holdfast/node/confdir"
)

// idAnswer is the answer about something new or changed, as JSON.
type idAnswer struct {
	ID string `json:"id"`
}

// volumeType is the one type of volumes.
const volumeType = "OBJ"

// addVolume makes a volume.
func (c *command) addVolume(f *flag.FlagSet) func(context.Context) error {
	kind := f.String("type", volumeType, "`type` of the volume: OBJ")
	where := f.String("s", "", "`storage` for its services: its name, or where this host has it mounted")
	objects := f.Int("os-count", 0, "`number` of object servers")
	names := f.Int("ns-count", 0, "`number` of name servers")
	name := f.String("name", "", "`name` for people; vol1, vol2 … unless given")
	attributes := f.String("vstorage-attr", "", "`attributes` such as failure-domain=host,tier=0,replicas=3: kept and shown; the mount decides how it keeps files")
	return func(ctx context.Context) error {
		if *kind != volumeType {
			return fmt.Errorf("--type: %q is not %s", *kind, volumeType)
		}
		if err := required([2]string{"-s", *where}); err != nil {
			return err
		}
		attrs, err := parseAttributes(*attributes)
		if err != nil {
			return err
		}
		var id holdfast.VolumeID
		_, err = c.changing(ctx, func(me confdir.Node, now config.Config) (config.Config, error) {
			called := *name
			if called == "" {
				called = fmt.Sprintf("vol%d", len(now.Volumes)+1)
			}
			next, made, err := now.WithVolume(called, storageName(me, *where), *names, *objects)
			if err != nil || len(attrs) == 0 {
				id = made
				return next, err
			}
			id = made
			return next.WithAttributes(made, attrs)
		})
		if err != nil {
			return err
		}
		return c.say(idAnswer{id.String()}, "%s\n", id)
	}
}

// storageName returns the name of a storage that is given by its name or by its mount on this host.
func storageName(me confdir.Node, where string) string {
	for name, path := range me.Storages {
		if filepath.Dir(path) == filepath.Clean(where) || path == filepath.Clean(where) {
			return name
		}
	}
	return where
}

// parseAttributes reads name=value pairs with the names there are.
func parseAttributes(s string) (map[string]string, error) {
	if s == "" {
		return nil, nil
	}
	out := map[string]string{}
	for pair := range strings.SplitSeq(s, ",") {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || value == "" || !slices.Contains([]string{"failure-domain", "tier", "replicas", "encoding"}, name) {
			return nil, fmt.Errorf("--vstorage-attr: %q is not failure-domain, tier, replicas or encoding with a value", pair)
		}
		if _, twice := out[name]; twice {
			return nil, fmt.Errorf("--vstorage-attr: %s is there twice", name)
		}
		out[name] = value
	}
	return out, nil
}

// addGateway has a host run a gateway.
func (c *command) addGateway(f *flag.FlagSet) func(context.Context) error {
	at := f.String("a", "", "internal `IP:PORT` for it to listen on; each gateway of a host needs its own port")
	volume := f.String("V", "", "`id` of its volume")
	on := f.String("H", "", "`id` of the host; this one unless given")
	return func(ctx context.Context) error {
		if err := required([2]string{"-a", *at}, [2]string{"-V", *volume}); err != nil {
			return err
		}
		listen, err := address("-a", *at, gatewayPort)
		if err != nil {
			return err
		}
		vol, err := holdfast.ParseServiceID(*volume)
		if err != nil || vol.Type() != holdfast.TypeVolume {
			return fmt.Errorf("-V: %q is not the id of a volume", *volume)
		}
		var host holdfast.HostID
		if *on != "" {
			if host, err = hostID("-H", *on); err != nil {
				return err
			}
		}
		var id holdfast.ServiceID
		_, err = c.changing(ctx, func(me confdir.Node, now config.Config) (next config.Config, err error) {
			if host == 0 {
				host = me.Host.Value
			}
			next, id, err = now.WithGateway(host, holdfast.VolumeID(vol), listen)
			return next, err
		})
		if err != nil {
			return err
		}
		return c.say(idAnswer{id.String()}, "%s\n", id)
	}
}

// removeGateway stops gateways.
func (c *command) removeGateway(f *flag.FlagSet) func(context.Context) error {
	var ids serviceIDs
	f.Var(&ids, "i", "`id` of the gateway; may be repeated")
	return c.each(&ids, "-i", "Gateway %s is removed\n", func(now config.Config, id holdfast.ServiceID) (config.Config, error) {
		return now.WithoutGateway(id)
	})
}

// bind has services run on a host.
func (c *command) bind(f *flag.FlagSet) func(context.Context) error {
	var ids serviceIDs
	on := f.String("H", "", "`id` of the host")
	f.Var(&ids, "S", "`id` of the service; may be repeated")
	return func(ctx context.Context) error {
		host, err := hostID("-H", *on)
		if err != nil {
			return err
		}
		return c.each(&ids, "-S", "Service %s is bound to host "+host.String()+"\n", func(now config.Config, id holdfast.ServiceID) (config.Config, error) {
			return now.WithBind(id, host)
		})(ctx)
	}
}

// unbind leaves services to placement.
func (c *command) unbind(f *flag.FlagSet) func(context.Context) error {
	var ids serviceIDs
	f.Var(&ids, "S", "`id` of the service; may be repeated")
	return c.each(&ids, "-S", "Service %s is bound to no host\n", func(now config.Config, id holdfast.ServiceID) (config.Config, error) {
		return now.WithBind(id, 0)
	})
}

// each makes a change for each id, all in one version.
func (c *command) each(ids *serviceIDs, flagName, said string, edit func(config.Config, holdfast.ServiceID) (config.Config, error)) func(context.Context) error {
	return func(ctx context.Context) error {
		if len(*ids) == 0 {
			return fmt.Errorf("%s: is missing", flagName)
		}
		_, err := c.changing(ctx, func(_ confdir.Node, now config.Config) (config.Config, error) {
			var err error
			for _, id := range *ids {
				if now, err = edit(now, id); err != nil {
					return now, err
				}
			}
			return now, nil
		})
		if err != nil {
			return err
		}
		answers := []idAnswer{}
		text := ""
		for _, id := range *ids {
			answers = append(answers, idAnswer{id.String()})
			text += fmt.Sprintf(said, id)
		}
		return c.say(answers, "%s", text)
	}
}

// drain has a host give its services away.
func (c *command) drain(f *flag.FlagSet) func(context.Context) error {
	on := f.String("H", "", "`id` of the host; this one unless given")
	undo := f.Bool("undo", false, "let the host have services again")
	return func(ctx context.Context) error {
		var host holdfast.HostID
		var err error
		if *on != "" {
			if host, err = hostID("-H", *on); err != nil {
				return err
			}
		}
		_, err = c.changing(ctx, func(me confdir.Node, now config.Config) (config.Config, error) {
			if host == 0 {
				host = me.Host.Value
			}
			return now.WithDrain(host, !*undo)
		})
		if err != nil {
			return err
		}
		said := "Host %s gives its services to others; agent-status shows when it is done\n"
		if *undo {
			said = "Host %s may have services again\n"
		}
		return c.say(idAnswer{host.String()}, said, host)
	}
}

// removeHost takes a host out that runs nothing.
func (c *command) removeHost(f *flag.FlagSet) func(context.Context) error {
	on := f.String("H", "", "`id` of the host")
	return func(ctx context.Context) error {
		host, err := hostID("-H", *on)
		if err != nil {
			return err
		}
		cl, err := c.open(ctx, "")
		if err != nil {
			return err
		}
		defer cl.close()
		if cl.node == nil {
			return errors.New("no node answers that knows what the host runs")
		}
		owners, err := cl.node.Owners(ctx, nil)
		if err != nil {
			return err
		}
		for _, o := range owners {
			if o.Host == host {
				return fmt.Errorf("-H: host %s runs service %s: drain it first, and wait until agent-status shows none", host, o.Service)
			}
		}
		if _, err := cl.change(ctx, func(now config.Config) (config.Config, error) { return now.WithoutHost(host) }); err != nil {
			return err
		}
		return c.say(idAnswer{host.String()}, "Host %s is removed\n", host)
	}
}
