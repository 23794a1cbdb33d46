/*
 * Evaluates a Jenkinsfile with the Groovy version of Jenkins and prints, as JSON, the steps that each build runs, with their
 * variables. It supports only the keywords of a declarative pipeline that the template uses; others are an error.
 *
 * Arguments: the path of the Jenkinsfile, and a JSON array of builds, each with `variables`, `credentials` and `cause`.
 */
import groovy.json.JsonOutput
import groovy.json.JsonSlurper

class Section {
    Map build
    Map environment
    String name
    List collectedSteps

    static void runWith(Closure body, Object owner) {
        body.delegate = owner
        body.resolveStrategy = Closure.DELEGATE_FIRST
        body()
    }

    Map getEnv() { build.variables.withDefault { null } }
}

class Pipeline extends Section {
    String schedule
    String getAny() { 'any' }
    void agent(String which) { assert which == 'any' }
    void options(Closure body) { runWith(body, new Options()) }
    void triggers(Closure body) { runWith(body, new Triggers(build: build, pipeline: this)) }
    void environment(Closure body) { runWith(body, new Variables(build: build, environment: environment)) }
    void stages(Closure body) { runWith(body, new Stages(build: build, environment: environment, collectedSteps: collectedSteps)) }
}

class Options {
    void disableConcurrentBuilds() {}
}

class Triggers extends Section {
    Pipeline pipeline
    void cron(String schedule) { pipeline.schedule = schedule }
}

class Variables extends Section {
    String credentials(String id) {
        if (!build.credentials.containsKey(id)) throw new IllegalStateException("unknown credential ${id}")
        build.credentials[id]
    }
    void propertyMissing(String name, value) { environment[name] = value }
}

class Stages extends Section {
    void stage(String name, Closure body) {
        def stage = new Stage(build: build, environment: new LinkedHashMap(environment), name: name, collectedSteps: [])
        runWith(body, stage)
        if (stage.applies) collectedSteps.addAll(stage.collectedSteps)
    }
}

class Stage extends Section {
    boolean applies = true
    Closure variables = {}
    void when(Closure body) { applies = new Conditions(build: build).all(body) }
    void environment(Closure body) { variables = body }
    void steps(Closure body) {
        if (!applies) return
        runWith(variables, new Variables(build: build, environment: environment))
        runWith(body, new Steps(environment: environment, name: name, collectedSteps: collectedSteps))
    }
}

class Conditions extends Section {
    List results = []
    boolean all(Closure body) {
        runWith(body, this)
        results.every { it }
    }
    void branch(String name) { results << (build.variables.BRANCH_NAME == name) }
    void triggeredBy(String cause) { results << (build.cause == cause) }
    void expression(Closure body) {
        body.delegate = this
        body.resolveStrategy = Closure.DELEGATE_FIRST
        results << (body() as boolean)
    }
    void not(Closure body) { results << !new Conditions(build: build).all(body) }
}

class Steps extends Section {
    void sh(String lines) { collectedSteps << [name: name, env: environment, lines: [lines]] }
}

def results = new JsonSlurper().parseText(args[1]).collect { build ->
    def pipeline = new Pipeline(build: build, environment: new LinkedHashMap(build.variables), collectedSteps: [])
    def shell = new GroovyShell(new Binding(pipeline: { Closure body -> Section.runWith(body, pipeline) }))
    shell.evaluate(new File(args[0]))
    [schedule: pipeline.schedule, steps: pipeline.collectedSteps]
}
println JsonOutput.toJson(results)
