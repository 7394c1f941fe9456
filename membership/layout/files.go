package layout

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"holdfast"
	"holdfast/storage"
	"holdfast/storage/record"
)

// MaxFile bounds the small files of this package, in bytes; control/name too.
const MaxFile = 64 << 10

// format is the format number of all text records here. A record that changes gets a number of its own.
const format = 1

// Incarnation is a run of a host's process: hosts/<id>/<number>, created exclusively at start.
type Incarnation struct {
	Number uint64
	ID     holdfast.Incarnation
	// Boot and Lock prove, to a later process of the same machine, that this one is gone: see storage.HostLock.
	Boot    string
	Lock    string
	Address string // of the node, for other hosts; may be "-"
}

// Encode writes the record.
func (i Incarnation) Encode() []byte {
	return record.Text("incarnation", format, num("number", i.Number), str("id", i.ID.String()),
		str("boot", i.Boot), str("lock", i.Lock), str("address", i.Address))
}

// ParseIncarnation reads the record.
func ParseIncarnation(b []byte) (i Incarnation, err error) {
	p := parse(b, "incarnation", "number", "id", "boot", "lock", "address")
	i = Incarnation{Number: p.num(0), ID: p.id(1), Boot: p.str(2), Lock: p.str(3), Address: p.str(4)}
	return check(i, p)
}

// Claim says who took an epoch of a service: claims/<epoch>, created exclusively.
type Claim struct {
	Epoch       holdfast.Epoch
	Host        holdfast.HostID
	Number      uint64 // of the incarnation
	Incarnation holdfast.Incarnation
	Nonce       storage.Nonce
}

// Encode writes the record.
func (c Claim) Encode() []byte {
	return record.Text("claim", format, num("epoch", uint64(c.Epoch)), str("host", c.Host.String()),
		num("number", c.Number), str("incarnation", c.Incarnation.String()), str("nonce", c.Nonce.String()))
}

// ParseClaim reads the record.
func ParseClaim(b []byte) (c Claim, err error) {
	p := parse(b, "claim", "epoch", "host", "number", "incarnation", "nonce")
	c = Claim{holdfast.Epoch(p.num(0)), p.host(1), p.num(2), p.id(3), storage.Nonce(p.id(4))}
	return check(c, p)
}

// Outcome says what became of a claim: claims/<epoch>.outcome, created exclusively, once. Open is written by the
// claimant when its store is complete; void by a successor that found no outcome.
type Outcome struct {
	Open  bool
	Epoch holdfast.Epoch
	// Undrained are the older epochs whose writes may still be on their way at the time of opening. All other older epochs are drained.
	Undrained []holdfast.Epoch
	Nonce     storage.Nonce
}

// Encode writes the record.
func (o Outcome) Encode() []byte {
	state := "void"
	if o.Open {
		state = "open"
	}
	list := make([]string, len(o.Undrained))
	for i, e := range o.Undrained {
		list[i] = number(uint64(e))
	}
	undrained := "-"
	if len(list) > 0 {
		undrained = strings.Join(list, ",")
	}
	return record.Text("outcome", format, str("state", state), num("epoch", uint64(o.Epoch)),
		str("undrained", undrained), str("nonce", o.Nonce.String()))
}

// ParseOutcome reads the record.
func ParseOutcome(b []byte) (o Outcome, err error) {
	p := parse(b, "outcome", "state", "epoch", "undrained", "nonce")
	o = Outcome{Open: p.str(0) == "open", Epoch: holdfast.Epoch(p.num(1)), Nonce: storage.Nonce(p.id(3))}
	if !o.Open && p.str(0) != "void" {
		p.bad("state %q", p.str(0))
	}
	if list := p.str(2); list != "-" {
		for _, s := range strings.Split(list, ",") {
			n, ok := parseNumber(s)
			if !ok || n >= uint64(o.Epoch) {
				p.bad("undrained epoch %q", s)
			}
			o.Undrained = append(o.Undrained, holdfast.Epoch(n))
		}
	}
	return check(o, p)
}

// Owner tells, for routing, who runs a service: services/<id>/owner, replaced by rename.
type Owner struct {
	Epoch       holdfast.Epoch
	Host        holdfast.HostID
	Incarnation holdfast.Incarnation
	Address     string
}

// Encode writes the record.
func (o Owner) Encode() []byte {
	return record.Text("owner", format, num("epoch", uint64(o.Epoch)), str("host", o.Host.String()),
		str("incarnation", o.Incarnation.String()), str("address", o.Address))
}

// ParseOwner reads the record.
func ParseOwner(b []byte) (o Owner, err error) {
	p := parse(b, "owner", "epoch", "host", "incarnation", "address")
	o = Owner{holdfast.Epoch(p.num(0)), p.host(1), p.id(2), p.str(3)}
	return check(o, p)
}

// EncodeCluster writes control/cluster: one line, the format number and the cluster's random name. A node takes a directory
// without it for a mount that is not there, and one with another name for somebody else's.
func EncodeCluster(name string) []byte { return fmt.Appendf(nil, "%d %s\n", format, name) }

// ParseCluster reads it.
func ParseCluster(b []byte) (string, error) {
	text, ok := strings.CutPrefix(string(b), strconv.Itoa(format)+" ")
	name := strings.TrimSuffix(text, "\n")
	if _, err := hex.DecodeString(name); !ok || err != nil || len(name) != 32 || string(EncodeCluster(name)) != string(b) {
		return "", corrupt("cluster", "%q", b[:min(len(b), 64)])
	}
	return name, nil
}

// EncodeHost writes services/<id>/host: one line, the format number and the host's id.
func EncodeHost(id holdfast.HostID) []byte { return fmt.Appendf(nil, "%d %s\n", format, id) }

// ParseHost reads it.
func ParseHost(b []byte) (holdfast.HostID, error) {
	text, ok := strings.CutPrefix(string(b), strconv.Itoa(format)+" ")
	id, err := holdfast.ParseHostID(strings.TrimSuffix(text, "\n"))
	if !ok || err != nil || string(EncodeHost(id)) != string(b) {
		return 0, corrupt("host", "%.40q", b)
	}
	return id, nil
}

// EncodeFence writes the content of an epoch's fence as its owner creates it. What is appended ends the epoch.
func EncodeFence(e holdfast.Epoch) []byte {
	return record.Text("fence", format, num("epoch", uint64(e)))
}

// EncodeDrained writes e<epoch>/drained; how says how it is known.
func EncodeDrained(e holdfast.Epoch, how string) []byte {
	return record.Text("drained", format, num("epoch", uint64(e)), str("how", how))
}

// Why an epoch is drained.
const (
	Released = "released" // its owner closed it
	Gone     = "gone"     // its process is proven dead on the same machine
)

// ParseDrained reads it.
func ParseDrained(b []byte) (e holdfast.Epoch, how string, err error) {
	p := parse(b, "drained", "epoch", "how")
	e, how = holdfast.Epoch(p.num(0)), p.str(1)
	if how != Released && how != Gone {
		p.bad("how %q", how)
	}
	_, err = check(e, p)
	return e, how, err
}

// EncodeName writes control/name: a first line "name 1", then an address a line. People may edit it.
func EncodeName(addresses []string) []byte {
	return []byte("name 1\n" + strings.Join(append(addresses, ""), "\n"))
}

// ParseName reads it as people write: blank lines and lines that begin with # do not count, nor does a missing first line.
func ParseName(b []byte) ([]string, error) {
	if len(b) > MaxFile {
		return nil, corrupt("name", "%d bytes", len(b))
	}
	var addresses []string
	for i, line := range strings.Split(string(b), "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case i == 0 && strings.HasPrefix(line, "name "):
			if line != "name 1" {
				return nil, &holdfast.Error{Op: "decode", Kind: holdfast.Unsupported, ID: "name", Err: errors.New(line)}
			}
		default:
			addresses = append(addresses, line)
		}
	}
	return addresses, nil
}

func num(key string, n uint64) record.Field { return record.Field{Key: key, Value: number(n)} }
func str(key, s string) record.Field        { return record.Field{Key: key, Value: s} }

func corrupt(what, format string, args ...any) error {
	return &holdfast.Error{Op: "decode", Kind: holdfast.Corrupt, ID: what, Err: fmt.Errorf(format, args...)}
}

// parser reads the values of a text record and remembers the first error.
type parser struct {
	what   string
	values []string
	err    error
}

func parse(b []byte, what string, keys ...string) *parser {
	values, err := record.ParseText(b, what, format, keys...)
	if err != nil {
		values = make([]string, len(keys))
	}
	return &parser{what, values, err}
}

func (p *parser) bad(format string, args ...any) {
	if p.err == nil {
		p.err = corrupt(p.what, format, args...)
	}
}

func (p *parser) str(i int) string { return p.values[i] }

func (p *parser) num(i int) uint64 {
	n, ok := parseNumber(p.values[i])
	if !ok {
		p.bad("number %.40q", p.values[i])
	}
	return n
}

func (p *parser) host(i int) holdfast.HostID {
	id, err := holdfast.ParseHostID(p.values[i])
	if err != nil || id.String() != p.values[i] {
		p.bad("host %.40q", p.values[i])
	}
	return id
}

func (p *parser) id(i int) (id [16]byte) {
	n, err := hex.Decode(id[:], []byte(p.values[i][:min(len(p.values[i]), 32)]))
	if err != nil || n != len(id) || hex.EncodeToString(id[:]) != p.values[i] {
		p.bad("id %.40q", p.values[i])
	}
	return id
}

// check returns v, or the zero value and the parser's error.
func check[T any](v T, p *parser) (T, error) {
	if p.err != nil {
		var zero T
		return zero, p.err
	}
	return v, nil
}
