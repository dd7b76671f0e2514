package http

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"fairfactor"
)

// object is a JSON object of the document.
type object = map[string]any

// document reads the OpenAPI document again for each test.
func document(t *testing.T) object {
	t.Helper()
	var doc object
	if err := json.Unmarshal(openAPI, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// at follows names from an object to an object.
func at(t *testing.T, o object, names ...string) object {
	t.Helper()
	for _, name := range names {
		next, ok := o[name].(object)
		if !ok {
			t.Fatalf("there is no object %q in %v", name, slices.Sorted(maps.Keys(o)))
		}
		o = next
	}
	return o
}

// follow resolves an object that may be a reference.
func follow(t *testing.T, doc object, o any) object {
	t.Helper()
	target, ok := o.(object)
	if !ok {
		t.Fatalf("%v is no object", o)
	}
	ref, ok := target["$ref"].(string)
	if !ok {
		return target
	}
	path, ok := strings.CutPrefix(ref, "#/")
	if !ok {
		t.Fatalf("%s leads out of the document", ref)
	}
	return follow(t, doc, at(t, doc, strings.Split(path, "/")...))
}

// visit calls do for each object of a document with its path.
func visit(path string, v any, do func(path string, o object)) {
	switch v := v.(type) {
	case object:
		do(path, v)
		for name, member := range v {
			visit(path+"/"+name, member, do)
		}
	case []any:
		for i, element := range v {
			visit(path+"/"+strconv.Itoa(i), element, do)
		}
	}
}

func TestOpenAPIReferencesResolve(t *testing.T) {
	doc := document(t)
	used := map[string]bool{}
	visit("", doc, func(path string, o object) {
		if ref, ok := o["$ref"].(string); ok {
			used[ref] = true
			if len(follow(t, doc, o)) == 0 {
				t.Errorf("%s: %s is empty", path, ref)
			}
		}
	})
	for kind, members := range at(t, doc, "components") {
		if kind == "securitySchemes" {
			continue // the document names these without a reference
		}
		for name := range members.(object) {
			if ref := "#/components/" + kind + "/" + name; !used[ref] {
				t.Errorf("nothing refers to %s", ref)
			}
		}
	}
}

// TestOpenAPIHasTheRoutes compares the document with the routes, both ways.
func TestOpenAPIHasTheRoutes(t *testing.T) {
	parameter := regexp.MustCompile(`\{[^}]*\}`)
	documented := map[string]bool{}
	for path, item := range at(t, document(t), "paths") {
		for name := range item.(object) {
			if name != "parameters" {
				documented[strings.ToUpper(name)+" "+parameter.ReplaceAllString(path, "{id}")] = true
			}
		}
	}
	offered := map[string]bool{}
	for i := range resources {
		for m, endpoint := range resources[i].endpoints {
			if endpoint.answer != nil {
				offered[methodNames[m]+" "+resources[i].path] = true
			}
		}
	}
	if !maps.Equal(documented, offered) {
		t.Errorf("documented: %v\n   offered: %v", slices.Sorted(maps.Keys(documented)), slices.Sorted(maps.Keys(offered)))
	}
}

func TestOpenAPIOperationsAreComplete(t *testing.T) {
	doc := document(t)
	if version := doc["openapi"]; version != "3.1.0" {
		t.Errorf("openapi is %v", version)
	}
	var tags []string
	for _, tag := range doc["tags"].([]any) {
		tags = append(tags, tag.(object)["name"].(string))
	}
	ids, statuses := map[any]bool{}, map[int]bool{}
	for path, item := range at(t, doc, "paths") {
		for name, o := range item.(object) {
			if name == "parameters" {
				continue
			}
			op, where := o.(object), name+" "+path
			if op["summary"] == nil || op["operationId"] == nil || ids[op["operationId"]] {
				t.Errorf("%s: no summary, or no operationId of its own", where)
			}
			ids[op["operationId"]] = true
			if tag := op["tags"].([]any)[0].(string); !slices.Contains(tags, tag) {
				t.Errorf("%s: tag %q is not declared", where, tag)
			}
			checkPathParameters(t, doc, path, item.(object))
			if op["security"] == nil && at(t, op, "responses")["401"] == nil {
				t.Errorf("%s: needs a key, and no 401 says so", where)
			}
			good := false
			for status, response := range at(t, op, "responses") {
				code, err := strconv.Atoi(status)
				if err != nil {
					t.Errorf("%s: %q is no status", where, status)
				}
				good, statuses[code] = good || code < 300, true
				checkResponse(t, doc, where, code, follow(t, doc, response))
			}
			if !good {
				t.Errorf("%s: no success", where)
			}
		}
	}
	for _, k := range kinds { // a wrong method has no operation to belong to
		if k.status != 405 && !statuses[k.status] {
			t.Errorf("no operation answers %d", k.status)
		}
	}
}

func checkPathParameters(t *testing.T, doc object, path string, item object) {
	t.Helper()
	var declared, used []string
	if list, ok := item["parameters"].([]any); ok {
		for _, p := range list {
			declared = append(declared, follow(t, doc, p)["name"].(string))
		}
	}
	for _, m := range regexp.MustCompile(`\{([^}]*)\}`).FindAllStringSubmatch(path, -1) {
		used = append(used, m[1])
	}
	if !slices.Equal(declared, used) {
		t.Errorf("%s: its parameters are %v, declared are %v", path, used, declared)
	}
}

// checkResponse holds a response against what the server does with that status.
func checkResponse(t *testing.T, doc object, where string, status int, response object) {
	t.Helper()
	if response["description"] == nil {
		t.Errorf("%s: %d has no description", where, status)
	}
	if status < 400 {
		return
	}
	if _, ok := at(t, response, "content")[mediaProblem]; !ok {
		t.Errorf("%s: %d is no problem document", where, status)
	}
	found, passes := false, false
	for k := range kinds {
		if kinds[k].status == status {
			found = true
			passes = (&problem{kind: kind(k)}).retrySeconds() > 0
		}
	}
	if !found {
		t.Errorf("%s: the server never answers %d", where, status)
	}
	headers, _ := response["headers"].(object)
	if _, ok := headers["Retry-After"]; ok != passes {
		t.Errorf("%s: %d: Retry-After documented %v, sent %v", where, status, ok, passes)
	}
}

// TestOpenAPIExamples checks each example against its schema, and the
// problems among them against the server's own table.
func TestOpenAPIExamples(t *testing.T) {
	doc := document(t)
	checked := 0
	visit("", doc, func(path string, o object) {
		examples, ok := o["examples"].(object)
		if _, has := o["schema"]; !ok || !has {
			return
		}
		for name, example := range examples {
			value := follow(t, doc, example)["value"]
			for _, complaint := range validate(t, doc, o["schema"], value, path+"/"+name) {
				t.Error(complaint)
			}
			checked++
			if p, ok := value.(object); ok && p["title"] != nil {
				checkProblem(t, path, p)
			}
		}
	})
	if checked < 20 {
		t.Errorf("only %d examples were found", checked)
	}
	visit("", doc, func(path string, o object) {
		if id, ok := o["request_id"].(string); ok {
			if _, err := fairfactor.ParseID(id); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
	})
}

func checkProblem(t *testing.T, path string, p object) {
	t.Helper()
	for _, k := range kinds {
		if p["type"] == typePrefix+k.name && p["title"] == k.title && p["status"] == float64(k.status) && p["code"] == string(k.code) {
			return
		}
	}
	t.Errorf("%s: the server has no problem like %v", path, p)
}

// TestOpenAPIDescribesTheAnswers checks what the server writes against the
// schemas: no member may be missing, and none may be undocumented.
func TestOpenAPIDescribesTheAnswers(t *testing.T) {
	doc, now := document(t), time.Unix(1_700_000_000, 0)
	factors := []fairfactor.Factor{{Prime: "2", Exponent: 3}, {Prime: "101", Exponent: 1, Probable: true}}
	job := fairfactor.Job{
		ID: fairfactor.ID{Nonce: 1, Caller: 1, Seq: 1}, Caller: "a", Number: "808", Submitted: now, Started: now, Finished: now,
		Attempts: 1, Turn: 1, CPU: time.Second, Factors: factors, Reason: "because",
		Progress: &fairfactor.Progress{Phase: "ecm", Percent: 12.5, Left: time.Second, Found: factors, Remaining: []string{"15"}},
	}
	answers := map[string][][]byte{
		"Receipt":  {AppendReceipt(nil, &fairfactor.Job{ID: job.ID, Caller: "a", Number: "6", State: fairfactor.Pending})},
		"Caller":   {AppendCaller(nil, &fairfactor.Caller{Name: "a", Weight: 1}, now), AppendCaller(nil, &fairfactor.Caller{Name: "a", Weight: 1, Queued: 1, CPU: 1e8, Oldest: now}, now.Add(1e9))},
		"Fairness": {appendValue(nil, fairnessOf(&fairfactor.Fairness{Jain: 0.5}))},
		"Key":      {AppendKey(nil, &fairfactor.APIKey{Role: fairfactor.RoleOperator}), AppendKey(nil, &fairfactor.APIKey{ID: "a", Role: fairfactor.RoleCaller, Callers: "team-*", Created: now}), AppendKey(nil, &fairfactor.APIKey{ID: "a", Role: fairfactor.RoleCaller, Callers: "*", Group: "acme", Created: now})},
		"MadeKey":  {appendValue(nil, newKeyAnswer{apiKeyOf(&fairfactor.APIKey{ID: "a", Role: fairfactor.RoleViewer, Created: now}), "ff_"})},
		"Node":     {AppendNode(nil, &fairfactor.Node{State: "alive", Workers: []fairfactor.Worker{{}, {Caller: "a", Job: job.ID.String(), Number: "6", Since: now}}})},
	}
	for state := fairfactor.Pending; state <= fairfactor.Cancelled; state++ {
		job.State = state
		answers["Job"] = append(answers["Job"], AppendJob(nil, &job), AppendJob(nil, &fairfactor.Job{ID: job.ID, Caller: "a", Number: "1", State: state}))
	}
	for k := range kinds {
		answers["Problem"] = append(answers["Problem"], appendProblem(nil, &problem{kind: kind(k), detail: "d"}))
	}
	for name, texts := range answers {
		schema := at(t, doc, "components", "schemas", name)
		schema["additionalProperties"] = false
		for _, text := range texts {
			var value any
			if err := json.Unmarshal(text, &value); err != nil {
				t.Fatalf("%s: %v in %s", name, err, text)
			}
			for _, complaint := range validate(t, doc, schema, value, name) {
				t.Errorf("%s, in %s", complaint, text)
			}
		}
	}
}

// validate checks a value against the part of JSON Schema that the document
// uses, and returns what is wrong.
func validate(t *testing.T, doc object, schema, value any, path string) (wrong []string) {
	t.Helper()
	s := follow(t, doc, schema)
	complain := func(format string, args ...any) { wrong = append(wrong, path+": "+fmt.Sprintf(format, args...)) }
	if kinds, ok := s["type"]; ok && !hasType(kinds, value) {
		complain("%v is no %v", value, kinds)
		return wrong
	}
	if enum, ok := s["enum"].([]any); ok && !slices.Contains(enum, value) {
		complain("%v is not one of %v", value, enum)
	}
	if choices, ok := s["oneOf"].([]any); ok {
		fits := 0
		for _, choice := range choices {
			if len(validate(t, doc, choice, value, path)) == 0 {
				fits++
			}
		}
		if fits != 1 {
			complain("%v fits %d of %d choices", value, fits, len(choices))
		}
	}
	switch v := value.(type) {
	case string:
		if pattern, ok := s["pattern"].(string); ok && !regexp.MustCompile(pattern).MatchString(v) {
			complain("%q does not match %s", v, pattern)
		}
		if s["format"] == "date-time" {
			if _, err := time.Parse("2006-01-02T15:04:05.000000Z", v); err != nil {
				complain("%v", err)
			}
		}
		wrong = append(wrong, outside(s, "minLength", "maxLength", float64(len(v)), path)...)
	case float64:
		wrong = append(wrong, outside(s, "minimum", "maximum", v, path)...)
	case []any:
		for i, element := range v {
			wrong = append(wrong, validate(t, doc, s["items"], element, path+"/"+strconv.Itoa(i))...)
		}
	case object:
		wrong = append(wrong, validateObject(t, doc, s, v, path)...)
	}
	return wrong
}

func validateObject(t *testing.T, doc, s, value object, path string) (wrong []string) {
	t.Helper()
	if required, ok := s["required"].([]any); ok {
		for _, name := range required {
			if _, has := value[name.(string)]; !has {
				wrong = append(wrong, fmt.Sprintf("%s: %v is missing", path, name))
			}
		}
	}
	properties, _ := s["properties"].(object)
	for name, member := range value {
		if names, ok := s["propertyNames"]; ok {
			wrong = append(wrong, validate(t, doc, names, name, path+"/"+name)...)
		}
		if schema, ok := properties[name]; ok {
			wrong = append(wrong, validate(t, doc, schema, member, path+"/"+name)...)
			continue
		}
		switch more := s["additionalProperties"].(type) {
		case bool:
			if !more {
				wrong = append(wrong, fmt.Sprintf("%s: %s is not documented", path, name))
			}
		case object:
			wrong = append(wrong, validate(t, doc, more, member, path+"/"+name)...)
		}
	}
	return wrong
}

// outside says whether a number is beyond the limits that a schema names.
func outside(s object, least, most string, n float64, path string) []string {
	low, hasLow := s[least].(float64)
	high, hasHigh := s[most].(float64)
	if hasLow && n < low || hasHigh && n > high {
		return []string{fmt.Sprintf("%s: %v is outside %v to %v", path, n, s[least], s[most])}
	}
	return nil
}

func hasType(kinds, value any) bool {
	if several, ok := kinds.([]any); ok {
		return slices.ContainsFunc(several, func(kind any) bool { return hasType(kind, value) })
	}
	switch v := value.(type) {
	case nil:
		return kinds == "null"
	case bool:
		return kinds == "boolean"
	case string:
		return kinds == "string"
	case float64:
		return kinds == "number" || kinds == "integer" && v == math.Trunc(v)
	case []any:
		return kinds == "array"
	}
	return kinds == "object"
}
