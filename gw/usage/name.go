package usage

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"holdfast"
)

// name is what the name of an object says.
type name struct {
	service holdfast.ServiceID
	begin   time.Time // UTC, milliseconds
	seconds int64     // how long the period was to be
}

const (
	namePrefix = "s3-usage-"
	keyPrefix  = "s/" // of the objects in the service bucket
	timeForm   = "2006-01-02T15:04:05.000Z"
)

func newName(service holdfast.ServiceID, begin time.Time, length time.Duration) name {
	return name{service, begin.UTC().Truncate(time.Millisecond), int64(length / time.Second)}
}

// String returns the name of the object. Names of one gateway sort by time.
func (n name) String() string {
	return fmt.Sprintf("%s%v-%s-%d", namePrefix, n.service, n.begin.Format(timeForm), n.seconds)
}

// end is when the period is over.
func (n name) end() time.Time { return n.begin.Add(time.Duration(n.seconds) * time.Second) }

var errName = errors.New("not the name of a usage object")

// parseName reads what String wrote, and nothing else.
func parseName(text string) (name, error) {
	rest, ok := strings.CutPrefix(text, namePrefix)
	if !ok || len(rest) < 16+1+len(timeForm)+2 {
		return name{}, errName
	}
	id, err := holdfast.ParseServiceID(rest[:16])
	if err != nil {
		return name{}, errName
	}
	begin, err := time.Parse(timeForm, rest[17:17+len(timeForm)])
	if err != nil {
		return name{}, errName
	}
	seconds, err := strconv.ParseInt(rest[18+len(timeForm):], 10, 64)
	n := name{id, begin, seconds}
	if err != nil || seconds < 0 || seconds > int64(MaxPeriod/time.Second) || n.String() != text {
		return name{}, errName
	}
	return n, nil
}
