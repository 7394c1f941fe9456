package config_test

import (
	"reflect"
	"strings"
	"testing"

	"holdfast"
	"holdfast/membership/config"
)

// Each change gives a configuration that is valid, or says what is in the way, and leaves what it was given alone.
func TestChanges(t *testing.T) {
	const other = holdfast.HostID(0xb2)
	base := func() config.Config {
		c := single().WithStorage(config.Storage{Name: "stor2"}).WithHost(config.Host{ID: config.IDOf(other), Storages: []string{"stor2"}})
		c, err := c.WithAttributes(vol, map[string]string{"replicas": "3"})
		if err != nil {
			t.Fatal(err)
		}
		c.Format = 1
		return c
	}
	with := func(change func(config.Config) (config.Config, error)) config.Config {
		c, err := change(base())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	served := with(func(c config.Config) (config.Config, error) {
		c, _, err := c.WithGateway(other, vol, "10.0.0.2:9000")
		return c, err
	})
	bound := with(func(c config.Config) (config.Config, error) { return c.WithBind(ns1, host) })
	const gateway = holdfast.ServiceID(0x8000000000000003)
	for name, c := range map[string]struct {
		from   config.Config
		change func(config.Config) (config.Config, error)
		refuse string // the words of a refusal
		kind   holdfast.Kind
		check  func(config.Config) bool
	}{
		"remove a host": {base(), func(c config.Config) (config.Config, error) { return c.WithoutHost(other) }, "", 0,
			func(c config.Config) bool { _, there := c.Host(other); return !there && len(c.Hosts) == 1 }},
		"remove no host":             {base(), func(c config.Config) (config.Config, error) { return c.WithoutHost(7) }, "no host", holdfast.NotFound, nil},
		"remove a host of a gateway": {served, func(c config.Config) (config.Config, error) { return c.WithoutHost(other) }, "gateway 80", holdfast.Conflict, nil},
		"remove a bound host":        {bound, func(c config.Config) (config.Config, error) { return c.WithoutHost(host) }, "unbind it", holdfast.Conflict, nil},
		"attributes": {base(), func(c config.Config) (config.Config, error) {
			return c.WithAttributes(vol, map[string]string{"tier": "0"})
		}, "", 0,
			func(c config.Config) bool {
				return reflect.DeepEqual(c.Volumes[0].Attributes, map[string]string{"tier": "0"})
			}},
		"attributes of no volume": {base(), func(c config.Config) (config.Config, error) { return c.WithAttributes(9, nil) }, "no volume", holdfast.NotFound, nil},
		"bind": {base(), func(c config.Config) (config.Config, error) { return c.WithBind(os1, host) }, "", 0,
			func(c config.Config) bool { return c.Services[2].Bind != nil && c.Services[2].Bind.Value == host }},
		"bind where the mount is not": {base(), func(c config.Config) (config.Config, error) { return c.WithBind(os1, other) }, "does not mount", holdfast.Conflict, nil},
		"unbind":                      {bound, func(c config.Config) (config.Config, error) { return c.WithBind(ns1, 0) }, "", 0, func(c config.Config) bool { return c.Services[0].Bind == nil }},
		"remove a gateway": {served, func(c config.Config) (config.Config, error) { return c.WithoutGateway(gateway) }, "", 0,
			func(c config.Config) bool { return len(c.Gateways) == 0 }},
		"two gateways at one address": {served, func(c config.Config) (config.Config, error) {
			c, _, err := c.WithGateway(other, vol, "10.0.0.2:9000")
			return c, err
		},
			"already", holdfast.Conflict, nil},
		"drain": {base(), func(c config.Config) (config.Config, error) { return c.WithDrain(other, true) }, "", 0,
			func(c config.Config) bool { h, _ := c.Host(other); return h.Drain }},
		"a volume": {base(), func(c config.Config) (config.Config, error) {
			c, _, err := c.WithVolume("v", "stor2", 3, 2)
			return c, err
		}, "", 0,
			func(c config.Config) bool {
				return c.Volumes[1].ID.Value == 0x0100000000000003 && len(c.Services) == 8 && len(c.Volumes[1].Slots) == 3
			}},
		"a volume of nothing": {base(), func(c config.Config) (config.Config, error) {
			c, _, err := c.WithVolume("v", "stor2", 0, 2)
			return c, err
		},
			"0 name", holdfast.Invalid, nil},
	} {
		t.Run(name, func(t *testing.T) {
			before := c.from.Clone()
			got, err := c.change(c.from)
			if !reflect.DeepEqual(before, c.from.Clone()) {
				t.Error("what was given is changed")
			}
			if c.refuse != "" {
				if !holdfast.Is(err, c.kind) || !strings.Contains(err.Error(), c.refuse) {
					t.Errorf("got %v, want %v with %q", err, c.kind, c.refuse)
				}
				return
			}
			got.Format = 1
			if err != nil || !c.check(got) || got.Validate() != nil {
				t.Errorf("got %+v, %v, %v", got, err, got.Validate())
			}
		})
	}
}
