// SPDX-License-Identifier: Apache-2.0
import { Stack } from "aws-cdk-lib";
import type { IProject } from "aws-cdk-lib/aws-codebuild";
import type { IStage } from "aws-cdk-lib/aws-codepipeline";
import type { IRepository } from "aws-cdk-lib/aws-ecr";
import type { IPrincipal } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { ILogGroup } from "aws-cdk-lib/aws-logs";
import {
  CodeBuildStep,
  type CodePipelineActionFactoryResult,
  type ICodePipelineActionFactory,
  type IFileSetProducer,
  type ProduceActionOptions,
} from "aws-cdk-lib/pipelines";
import type { Construct } from "constructs";
import { BuildCompute } from "./build-compute";
import { EngineFallback } from "./engine-fallback";
import type { LayerwiseImage } from "./layerwise-image";
import { actionProject } from "./private/build-project";
import { runnerCommands } from "./private/build-spec";
import { checkCommit, checkEngine } from "./private/check-step";
import { type FallbackProject, fallbackProjects } from "./private/fallback-projects";
import { grantImages } from "./private/image-access";
import {
  actionScope,
  addProjectAction,
  assemblyFolder,
  knownPlaceVariables,
  madeProject,
  placeVariables,
} from "./private/image-step";
import { refusal } from "./private/refuse";
import { placeOf, registryHost } from "./private/repository-place";
import { planPath, runnerPath } from "./private/runner-paths";

/** What steps that build or copy images have in common. */
export interface ImageStepProps {
  /** The app's cloud assembly: `pipeline.cloudAssemblyFileSet`. */
  readonly cloudAssembly: IFileSetProducer;

  /**
   * The machine.
   *
   * @default BuildCompute.lambda()
   */
  readonly compute?: BuildCompute;

  /**
   * The name of the project in AWS CodeBuild.
   *
   * @default - made by CloudFormation
   */
  readonly projectName?: string;

  /**
   * The key that encrypts what builds put out.
   *
   * @default - the one of the pipeline's artifacts
   */
  readonly encryptionKey?: IKey;

  /**
   * Where the log of the builds goes.
   *
   * @default - a log group that is made by AWS CodeBuild
   */
  readonly logGroup?: ILogGroup;
}

/** What a step that builds images is told besides the images. */
export interface ImageBuildOptions extends ImageStepProps {
  /**
   * The source that the build contexts are in. AWS CodePipeline needs it; a job of cdk-pipelines-github checks it out
   * itself.
   *
   * @default - none
   */
  readonly source?: IFileSetProducer;

  /**
   * The commit, as the pipeline knows it: `source.sourceAttribute('CommitId')`. Needed for `ImageTag.commit()`; the
   * build then refuses another commit than the one that was synthesized.
   *
   * @default - none
   */
  readonly commitId?: string;

  /**
   * What happens if a RUN must execute and the machine has no Docker daemon.
   *
   * @default EngineFallback.ec2() where the compute has no engine
   */
  readonly engineFallback?: EngineFallback;

  /**
   * Private repositories of Amazon ECR that base images are in.
   *
   * @default - none
   */
  readonly pullFrom?: IRepository[];
}

/** Properties of an `ImageBuildStep`. */
export interface ImageBuildStepProps extends ImageBuildOptions {
  /** The images to build, at least one. */
  readonly images: LayerwiseImage[];
}

/**
 * Builds images in a pipeline and publishes them, doing only what the repository does not hold.
 *
 * Put it between the stack of the repository and the stack that uses the image: `ImageBuilds.stackSteps()` does so. Under
 * CDK Pipelines with AWS CodePipeline it makes a project of its own; under cdk-pipelines-github it is a job.
 */
export class ImageBuildStep extends CodeBuildStep implements ICodePipelineActionFactory {
  private readonly images: readonly LayerwiseImage[];
  private readonly options: ImageBuildStepProps;
  private readonly machine: BuildCompute;
  private made?: IProject;

  public constructor(id: string, props: ImageBuildStepProps) {
    const { images, source, cloudAssembly, commitId } = props;
    const [first] = images;
    if (first === undefined) {
      throw refusal({ what: `make the step ${id}`, why: "it has no images", fix: "give at least one in images" });
    }
    checkCommit(id, props);
    super(id, {
      input: source,
      additionalInputs: { [assemblyFolder]: cloudAssembly },
      commands: runnerCommands({
        runner: `${assemblyFolder}/${runnerPath(first)}`,
        words: ["build", "--assembly", assemblyFolder, "--source", ".", ...images.map(planPath)],
      }),
      env: {
        ...knownPlaceVariables({
          LAYERWISE_ACCOUNT: first._place.account ?? Stack.of(first).account,
          LAYERWISE_REGION: first._place.region ?? Stack.of(first).region,
        }),
        ...(commitId === undefined ? {} : { LAYERWISE_COMMIT_ID: commitId }),
      },
    });
    this.images = images;
    this.options = props;
    this.machine = props.compute ?? BuildCompute.lambda();
    checkEngine(id, props, this.machine);
  }

  /** The digest of the image, of several with commas between: a variable of the pipeline for later steps. */
  public get digest(): string {
    return this.exportedVariable("LAYERWISE_DIGEST");
  }

  /** The project; known when the pipeline is built. */
  public override get project(): IProject {
    return madeProject(this.id, this.made);
  }

  /** The principal of the project; known when the pipeline is built. */
  public override get grantPrincipal(): IPrincipal {
    return this.project.grantPrincipal;
  }

  /** Adds the build to a stage of AWS CodePipeline. */
  public produceAction(stage: IStage, options: ProduceActionOptions): CodePipelineActionFactoryResult {
    const scope = actionScope(options);
    const fallbacks = this.fallbacks(scope, options);
    const [, assembly] = this.inputs;
    if (assembly === undefined) {
      throw refusal({
        what: `add the step ${this.id} to AWS CodePipeline`,
        why: "it has no source, and AWS CodeBuild checks nothing out",
        fix: "give source: the file set that the synth step has as its input",
      });
    }
    const folder = `$CODEBUILD_SRC_DIR_${options.artifacts.toCodePipeline(assembly.fileSet).artifactName}`;
    const { commitId, projectName, encryptionKey, logGroup } = this.options;
    const commands = runnerCommands({
      runner: `${folder}/${runnerPath(this.images[0] as LayerwiseImage)}`,
      words: ["build", "--assembly", folder, "--source", "$CODEBUILD_SRC_DIR", ...this.images.map(planPath)],
    });
    const project = actionProject(scope, "Project", {
      compute: this.machine,
      commands,
      variables: {
        ...this.variables(scope),
        ...Object.assign({}, ...fallbacks.map(({ variables }) => variables)),
      },
      description: `builds ${this.images.map(({ node }) => node.path).join(", ")}`,
      projectName,
      encryptionKey,
      logGroup,
    });
    const secrets = this.images.flatMap(({ _plan }) => _plan.secrets);
    grantImages(project, scope, { images: this.images, secrets, pullFrom: this.options.pullFrom });
    for (const fallback of fallbacks) fallback.grantStart(project);
    this.made = project;
    return addProjectAction(stage, options, {
      project,
      inputs: this.inputs,
      variables: commitId === undefined ? {} : { LAYERWISE_COMMIT_ID: commitId },
    });
  }

  private variables(scope: Construct): Record<string, string> {
    const { pullFrom = [] } = this.options;
    const hosts = [...new Set(pullFrom.map((repository) => registryHost(placeOf(repository), scope)))];
    return {
      ...placeVariables(scope),
      LAYERWISE_ENGINE: this.machine._settings.hasEngine ? "auto" : "never",
      ...(hosts.length === 0 ? {} : { LAYERWISE_PULL_FROM: hosts.join(",") }),
    };
  }

  private fallbacks(scope: Construct, options: ProduceActionOptions): readonly FallbackProject[] {
    if (this.machine._settings.hasEngine) return [];
    return fallbackProjects(scope, {
      images: this.images,
      pullFrom: this.options.pullFrom,
      fallback: this.options.engineFallback ?? EngineFallback.ec2(),
      bucket: options.pipeline.pipeline.artifactBucket,
      waitSeconds: this.machine._settings.kind === "lambda" ? lambdaSeconds : engineSeconds,
      variables: (inner) => ({ ...this.variables(inner), LAYERWISE_ENGINE: "auto" }),
      encryptionKey: this.options.encryptionKey,
      logGroup: this.options.logGroup,
    });
  }
}

/** Seconds of the 15 minutes of a build on AWS Lambda that may be waited for an engine; the rest is for what is before. */
const lambdaSeconds = 14 * 60;

/** Seconds that other builds wait for an engine: as long as they may themselves take at most. */
const engineSeconds = 8 * 60 * 60;
