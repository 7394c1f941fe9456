package usage

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"holdfast"
)

// Key says who used what.
type Key struct {
	Bucket string `json:"bucket"`  // "": no bucket, such as a list of buckets
	Epoch  uint64 `json:"epoch"`   // of the bucket's record; 0: none
	User   string `json:"user_id"` // "": nobody signed
	Tag    string `json:"tag"`
}

// Kind is what an operation is counted as.
type Kind uint8

// The kinds.
const (
	Other Kind = iota
	Put
	Get
	List
)

// counters are what is counted.
type counters struct {
	Ops struct {
		Put   int64 `json:"put"`
		Get   int64 `json:"get"`
		List  int64 `json:"list"`
		Other int64 `json:"other"`
	} `json:"ops"`
	Net struct {
		Uploaded   int64 `json:"uploaded"`
		Downloaded int64 `json:"downloaded"`
	} `json:"net_io"`
}

func (c *counters) add(k Kind, up, down int64) {
	switch k {
	case Put:
		c.Ops.Put++
	case Get:
		c.Ops.Get++
	case List:
		c.Ops.List++
	default:
		c.Ops.Other++
	}
	c.Net.Uploaded += up
	c.Net.Downloaded += down
}

// period is what was counted since a moment.
type period struct {
	begin  time.Time
	length time.Duration
	name   string
	items  map[Key]*counters
	dirty  bool // not all of it is written
}

const (
	namePrefix = "s3-usage-"
	keyPrefix  = "s/"
)

func newPeriod(service holdfast.ServiceID, begin time.Time, length time.Duration) *period {
	begin = begin.UTC().Truncate(time.Millisecond)
	name := fmt.Sprintf("%s%v-%s-%d", namePrefix, service, begin.Format("2006-01-02T15:04:05.000Z"), int64(length/time.Second))
	return &period{begin: begin, length: length, name: name, items: map[Key]*counters{}}
}

// item is a line of an object.
type item struct {
	Key      Key      `json:"key"`
	Counters counters `json:"counters"`
}

// encode writes the object: one JSON document, its items in order.
func (p *period) encode(service holdfast.ServiceID) ([]byte, error) {
	items := make([]item, 0, len(p.items))
	for k, c := range p.items {
		items = append(items, item{k, *c})
	}
	slices.SortFunc(items, func(a, b item) int {
		return strings.Compare(fmt.Sprint(a.Key.Bucket, "\x00", a.Key.User, "\x00", a.Key.Epoch, a.Key.Tag),
			fmt.Sprint(b.Key.Bucket, "\x00", b.Key.User, "\x00", b.Key.Epoch, b.Key.Tag))
	})
	var doc bytes.Buffer
	err := json.NewEncoder(&doc).Encode(struct {
		Format  int             `json:"fmt_version"`
		Service json.RawMessage `json:"service_id"`
		Start   int64           `json:"start_ts"`
		Period  int64           `json:"period"`
		Items   int             `json:"nr_items"`
		List    []item          `json:"items"`
	}{1, serviceNumber(service), p.begin.Unix(), int64(p.length / time.Second), len(items), items})
	return doc.Bytes(), err
}

// serviceNumber writes the digits of an id as the API does: as a number. An id with other digits than 0 to 9 is a string.
func serviceNumber(id holdfast.ServiceID) json.RawMessage {
	digits := id.String()
	if strings.Trim(digits, "0123456789") == "" && digits[0] != '0' {
		return json.RawMessage(digits)
	}
	return json.RawMessage(`"` + digits + `"`)
}

// validName reports whether a name may be one of an object of usage.
func validName(name string) bool {
	return strings.HasPrefix(name, namePrefix) && len(name) < 200 && !strings.Contains(name, "/")
}
