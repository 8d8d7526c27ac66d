// SPDX-License-Identifier: Apache-2.0
import { Annotations } from "aws-cdk-lib";
import type { IBuildImage, IProject } from "aws-cdk-lib/aws-codebuild";
import type { IStage } from "aws-cdk-lib/aws-codepipeline";
import type { IPrincipal } from "aws-cdk-lib/aws-iam";
import {
  CodeBuildStep,
  type CodePipelineActionFactoryResult,
  type ICodePipelineActionFactory,
  type IFileSetProducer,
  type ProduceActionOptions,
} from "aws-cdk-lib/pipelines";
import { BuildCompute } from "./build-compute";
import type { LayerwiseImage } from "./layerwise-image";
import { actionProject } from "./private/build-project";
import { classicCommands } from "./private/classic-commands";
import { grantImages } from "./private/image-access";
import { actionScope, addProjectAction, assemblyFolder, madeProject, placeVariables } from "./private/image-step";
import { refusal } from "./private/refuse";
import { planPath } from "./private/runner-paths";

/** Properties of a `ClassicImageBuildStep`. */
export interface ClassicImageBuildStepProps {
  /** The image. Its tag is `ImageTag.commit()`, and its first floating tag is what is pulled for its cache. */
  readonly image: LayerwiseImage;

  /** The source that the build context is in. */
  readonly source: IFileSetProducer;

  /** The app's cloud assembly: `pipeline.cloudAssemblyFileSet`. */
  readonly cloudAssembly: IFileSetProducer;

  /**
   * CodeBuild's image, on a privileged machine of the platform of the image.
   *
   * @default - a maintained standard image of the platform
   */
  readonly buildImage?: IBuildImage;
}

/**
 * CodeBuild's images with Docker 26 or later and the classic image store, whose inline cache forgets the lower layers
 * after each build that was cached. Docker 20.10 does not.
 */
const alternating = /(?:\/standard:[789]|x86_64-standard:[56]|aarch64-standard:[34])\.\d/;

/**
 * The usual recipe: pull the last image, build with `--cache-from` it and an inline cache, push two tags. For comparison,
 * and for those who want just that; an `ImageBuildStep` moves less and needs no privileged machine.
 */
export class ClassicImageBuildStep extends CodeBuildStep implements ICodePipelineActionFactory {
  private readonly image: LayerwiseImage;
  private readonly machine: BuildCompute;
  private made?: IProject;

  public constructor(id: string, props: ClassicImageBuildStepProps) {
    const { image, source, cloudAssembly } = props;
    checkImage(id, image);
    super(id, { input: source, additionalInputs: { [assemblyFolder]: cloudAssembly }, commands: [] });
    this.image = image;
    const [architecture] = image.platforms;
    this.machine = BuildCompute.ec2({ privileged: true, architecture, buildImage: props.buildImage });
    const { imageId = "" } = this.machine._settings.environment.buildImage ?? {};
    if (alternating.test(imageId)) {
      Annotations.of(image).addWarningV2(
        "layerwise-cdk:alternating-inline-cache",
        `the Docker of ${imageId} builds ${image.node.path} without a cache at every second deployment: a build that took its layers from an inline cache writes one that lacks them. Use an ImageBuildStep, or a buildImage with Docker 20.10`,
      );
    }
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
    const { image, machine } = this;
    const [source, assembly] = this.inputs;
    const folder = `$CODEBUILD_SRC_DIR_${options.artifacts.toCodePipeline((assembly ?? source).fileSet).artifactName}`;
    const project = actionProject(scope, "Project", {
      compute: machine,
      commands: classicCommands(image._plan, `${folder}/${planPath(image)}`),
      // An attestation makes an index of an image, and AWS Lambda takes none.
      variables: { ...placeVariables(scope), DOCKER_BUILDKIT: "1", BUILDX_NO_DEFAULT_ATTESTATIONS: "1" },
      description: `builds ${image.node.path} with an inline cache`,
      isClassic: true,
    });
    grantImages(project, scope, { images: [image] });
    this.made = project;
    return addProjectAction(stage, options, { project, inputs: this.inputs });
  }
}

function checkImage(id: string, { node, platforms, _plan }: LayerwiseImage): void {
  const what = `build ${node.path} with the step ${id}`;
  if (_plan.tagKind !== "commit") {
    throw refusal({
      what,
      why: "the usual recipe pushes a tag of its own for each commit",
      fix: "give the image ImageTag.commit(…), or use an ImageBuildStep",
    });
  }
  if (_plan.floatingTags.length !== 1) {
    throw refusal({
      what,
      why: "the cache is the image that one floating tag names",
      fix: 'give the image floatingTags: ["latest"]',
    });
  }
  if (platforms.length !== 1 || _plan.secrets.length > 0 || _plan.publishRole !== undefined) {
    throw refusal({
      what,
      why: "the usual recipe knows no several platforms, secrets or other accounts",
      fix: "use an ImageBuildStep",
    });
  }
}
