package space

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"time"
)

// record is what is kept of a bucket. Fields are only ever added.
type record struct {
	Life  string   `json:"root"`  // the bucket's root directory: another one is another bucket of the name
	At    int64    `json:"at"`    // seconds since 1970 of the last look that was written down
	Bytes int64    `json:"bytes"` // then
	Most  int64    `json:"most"`  // of the hour of At
	Sum   *big.Int `json:"sum"`   // byte-seconds up to At
}

const hour = 3600

// seen returns the record after a look at a time that finds so many bytes. A clock that was set back adds nothing.
func (r record) seen(now, bytes int64) record {
	now = max(now, r.At)
	most := max(r.Bytes, bytes) // an hour begins with what the last one ended with
	if now/hour == r.At/hour {
		most = max(r.Most, bytes)
	}
	sum := new(big.Int).Mul(big.NewInt(r.Bytes), big.NewInt(now-r.At))
	return record{Life: r.Life, At: now, Bytes: bytes, Most: most, Sum: sum.Add(sum, r.Sum)}
}

// byteHours returns the sum in the unit in which it is shown.
func (r record) byteHours() int64 {
	n := new(big.Int).Div(r.Sum, big.NewInt(hour))
	if !n.IsInt64() {
		return math.MaxInt64
	}
	return n.Int64()
}

// begun returns the record of a bucket that was not looked at before.
func begun(life string, now time.Time) record {
	return record{Life: life, At: now.Unix(), Sum: new(big.Int)}
}

func (r record) encode() string {
	doc, _ := json.Marshal(r) // of numbers and hex digits: cannot fail
	return string(doc)
}

var errRecord = errors.New("not a record of space")

func decode(value string) (record, error) {
	var r record
	if err := json.Unmarshal([]byte(value), &r); err != nil {
		return record{}, err
	}
	if r.Sum == nil || r.Sum.Sign() < 0 || r.Bytes < 0 || r.Most < 0 || r.At < 0 {
		return record{}, errRecord
	}
	return r, nil
}
