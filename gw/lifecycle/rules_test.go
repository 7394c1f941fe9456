package lifecycle

import (
	"strings"
	"testing"
	"time"

	"holdfast"
)

// rules parses the rules of a test, written without the elements they all have.
func rules(t testing.TB, day time.Duration, each ...string) *Rules {
	t.Helper()
	l, err := Parse(document(each...))
	if err != nil {
		t.Fatal(err)
	}
	return New(l, day)
}

func document(each ...string) []byte {
	var b strings.Builder
	b.WriteString("<LifecycleConfiguration>")
	for i, r := range each {
		b.WriteString("<Rule><ID>" + string(rune('a'+i)) + "</ID>" + r)
		if !strings.Contains(r, "<Status>") {
			b.WriteString("<Status>Enabled</Status>")
		}
		if !strings.Contains(r, "<Filter>") {
			b.WriteString("<Filter/>")
		}
		b.WriteString("</Rule>")
	}
	b.WriteString("</LifecycleConfiguration>")
	return []byte(b.String())
}

const (
	oneDay  = "<Expiration><Days>1</Days></Expiration>"
	tenDays = "<Expiration><Days>10</Days></Expiration>"
)

func at(text string) time.Time {
	t, err := time.Parse(time.DateTime, text)
	if err != nil {
		panic(err)
	}
	return t
}

func TestExpiry(t *testing.T) {
	written := at("2024-01-15 10:30:00")
	tag := []holdfast.Header{{Name: "k", Value: "v"}, {Name: "x", Value: "y"}}
	and := "<Filter><And><Prefix>a</Prefix><Tag><Key>k</Key><Value>v</Value></Tag><Tag><Key>x</Key><Value>y</Value></Tag></And></Filter>"
	for _, c := range []struct {
		name  string
		rules []string
		v     Version
		due   string
		rule  string
	}{
		{"the midnight after", []string{"<Expiration><Days>3</Days></Expiration>"}, Version{Key: "k"}, "2024-01-19 00:00:00", "a"},
		{"the sooner", []string{tenDays, oneDay}, Version{Key: "k"}, "2024-01-17 00:00:00", "b"},
		{"date", []string{"<Expiration><Date>2024-01-16T00:00:00Z</Date></Expiration>", oneDay}, Version{Key: "k"}, "2024-01-16 00:00:00", "a"},
		{"disabled", []string{oneDay + "<Status>Disabled</Status>"}, Version{Key: "k"}, "", ""},
		{"prefix", []string{oneDay + "<Filter><Prefix>b</Prefix></Filter>", tenDays + "<Filter><Prefix>a</Prefix></Filter>"}, Version{Key: "a1"}, "2024-01-26 00:00:00", "b"},
		{"larger", []string{oneDay + "<Filter><ObjectSizeGreaterThan>9</ObjectSizeGreaterThan></Filter>"}, Version{Key: "k", Size: 10}, "2024-01-17 00:00:00", "a"},
		{"not larger", []string{oneDay + "<Filter><ObjectSizeGreaterThan>9</ObjectSizeGreaterThan></Filter>"}, Version{Key: "k", Size: 9}, "", ""},
		{"smaller", []string{oneDay + "<Filter><ObjectSizeLessThan>9</ObjectSizeLessThan></Filter>"}, Version{Key: "k", Size: 8}, "2024-01-17 00:00:00", "a"},
		{"not smaller", []string{oneDay + "<Filter><ObjectSizeLessThan>9</ObjectSizeLessThan></Filter>"}, Version{Key: "k", Size: 9}, "", ""},
		{"tags", []string{oneDay + and}, Version{Key: "a", Tags: tag}, "2024-01-17 00:00:00", "a"},
		{"a tag is missing", []string{oneDay + and}, Version{Key: "a", Tags: tag[:1]}, "", ""},
		{"tags not known", []string{oneDay + and}, Version{Key: "a", AnyTags: true}, "2024-01-17 00:00:00", "a"},
		{"very long", []string{"<Expiration><Days>2147483646</Days></Expiration>"}, Version{Key: "k"}, "never", "a"},
		{"other actions", []string{"<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>"}, Version{Key: "k"}, "", ""},
	} {
		c.v.Since = written
		due, rule := rules(t, Day, c.rules...).Expiry(&c.v)
		if rule != c.rule {
			t.Errorf("%s: rule %q, want %q", c.name, rule, c.rule)
		}
		switch c.due {
		case "":
		case "never":
			if due.Year() < 9999 {
				t.Errorf("%s: got %v", c.name, due)
			}
		default:
			if !due.Equal(at(c.due)) {
				t.Errorf("%s: got %v, want %v", c.name, due, c.due)
			}
		}
	}
}

func TestNoncurrentDue(t *testing.T) {
	const twoDays = "<NoncurrentVersionExpiration><NoncurrentDays>2</NoncurrentDays></NoncurrentVersionExpiration>"
	const keepTwo = "<NoncurrentVersionExpiration><NoncurrentDays>2</NoncurrentDays><NewerNoncurrentVersions>2</NewerNoncurrentVersions></NoncurrentVersionExpiration>"
	v := Version{Key: "k", Since: at("2024-01-15 10:30:00")}
	for _, c := range []struct {
		rule  string
		newer int
		now   string
		due   bool
	}{
		{twoDays, 0, "2024-01-17 23:59:59", false},
		{twoDays, 0, "2024-01-18 00:00:00", true},
		{keepTwo, 0, "2024-01-18 00:00:00", false},
		{keepTwo, 1, "2024-01-18 00:00:00", false},
		{keepTwo, 2, "2024-01-18 00:00:00", true},
		{keepTwo, 2, "2024-01-17 00:00:00", false},
		{oneDay, 9, "2024-02-18 00:00:00", false},
	} {
		if got := rules(t, Day, c.rule).NoncurrentDue(&v, c.newer, at(c.now)); got != c.due {
			t.Errorf("%s, %d newer, %s: got %v", c.rule, c.newer, c.now, got)
		}
	}
}

func TestMarkerDue(t *testing.T) {
	v := Version{Key: "k", Since: at("2024-01-15 10:30:00")}
	const always = "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>"
	const never = "<Expiration><ExpiredObjectDeleteMarker>false</ExpiredObjectDeleteMarker></Expiration>"
	for _, c := range []struct {
		rule, now string
		due       bool
	}{
		{always, "2024-01-15 10:30:00", true},
		{never, "2024-03-15 10:30:00", false},
		{oneDay, "2024-01-16 23:00:00", false},
		{oneDay, "2024-01-17 00:00:00", true},
	} {
		if got := rules(t, Day, c.rule).MarkerDue(&v, at(c.now)); got != c.due {
			t.Errorf("%s at %s: got %v", c.rule, c.now, got)
		}
	}
}

func TestAbort(t *testing.T) {
	v := Version{Key: "logs/k", Since: at("2024-01-15 10:30:00")}
	abort := func(days, prefix string) string {
		return "<AbortIncompleteMultipartUpload><DaysAfterInitiation>" + days + "</DaysAfterInitiation></AbortIncompleteMultipartUpload>" +
			"<Filter><Prefix>" + prefix + "</Prefix></Filter>"
	}
	due, rule := rules(t, Day, abort("7", "logs/"), abort("2", ""), abort("1", "x")).Abort(&v)
	if rule != "b" || !due.Equal(at("2024-01-18 00:00:00")) {
		t.Errorf("got %q, %v", rule, due)
	}
}

func TestShortDay(t *testing.T) {
	v := Version{Key: "k", Since: time.Unix(1000_000_003, 5)}
	due, _ := rules(t, 10*time.Second, oneDay).Expiry(&v)
	if want := time.Unix(1000_000_020, 0); !due.Equal(want) {
		t.Errorf("got %v, want %v", due, want)
	}
}

func TestCommonPrefix(t *testing.T) {
	f := func(prefix string) string { return oneDay + "<Filter><Prefix>" + prefix + "</Prefix></Filter>" }
	for _, c := range []struct {
		want  string
		rules []string
	}{
		{"abc", []string{f("abc")}}, {"ab", []string{f("abc"), f("abd")}}, {"", []string{f("abc"), f("x")}}, {"", []string{f("abc"), oneDay}},
		{"abc", []string{f("abc"), oneDay + "<Status>Disabled</Status>"}},
	} {
		if got := rules(t, Day, c.rules...).Prefix(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestMakeWay(t *testing.T) {
	for _, c := range []struct {
		took       time.Duration
		processors int
		want       time.Duration
	}{
		{10 * time.Millisecond, 2, 90 * time.Millisecond},
		{10 * time.Millisecond, 10, 10 * time.Millisecond},
		{10 * time.Millisecond, 64, 0},
		{time.Second, 1, longestRest},
	} {
		if got := makeWay(c.took, c.processors); got.Round(time.Microsecond) != c.want {
			t.Errorf("%v on %d: got %v, want %v", c.took, c.processors, got, c.want)
		}
	}
}
